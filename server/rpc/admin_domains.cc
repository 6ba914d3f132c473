#include "server/rpc/admin_domains.h"

#include <spdlog/spdlog.h>

#include <vector>

#include "server/rpc/admin_messages.h"
#include "server/rpc/pages.h"

namespace sasld {

grpc::Status SetDomain(const AdminParts& parts, const v1::SetDomainRequest& request,
                       v1::Domain& reply) {
  const absl::StatusOr<Domain> domain = parts.domains.Set(request.name(), DomainChangesOf(request));
  if (!domain.ok()) return ToGrpc(domain.status());
  FillDomain(*domain, reply);
  parts.log->info("admin domain={} set", domain->name);
  return grpc::Status::OK;
}

grpc::Status GetDomain(const AdminParts& parts, const v1::GetDomainRequest& request,
                       v1::Domain& reply) {
  const absl::StatusOr<Domain> domain = parts.domains.Get(request.name());
  if (domain.ok()) FillDomain(*domain, reply);
  return ToGrpc(domain.status());
}

grpc::Status ListDomains(const AdminParts& parts, const v1::ListDomainsRequest& request,
                         v1::ListDomainsReply& reply) {
  const size_t page = PageSize(request.page_size());
  // One more than asked for tells whether there is another page.
  const absl::StatusOr<std::vector<Domain>> domains =
      parts.store.ListDomains(request.page_token(), page + 1);
  if (!domains.ok()) return ToGrpc(domains.status());
  for (const Domain& domain : *domains) {
    if (static_cast<size_t>(reply.domains_size()) == page) {
      reply.set_next_page_token(reply.domains().rbegin()->name());
      break;
    }
    FillDomain(domain, *reply.add_domains());
  }
  return grpc::Status::OK;
}

grpc::Status DeleteDomain(const AdminParts& parts, const v1::DeleteDomainRequest& request) {
  const absl::StatusOr<std::string> removed = parts.domains.Remove(request.name());
  if (removed.ok()) parts.log->info("admin domain={} deleted", *removed);
  return ToGrpc(removed.status());
}

}  // namespace sasld
