// The Admin service's calls about domains.
#pragma once

#include "server/rpc/admin_service.h"

namespace sasld {

grpc::Status SetDomain(const AdminParts& parts, const v1::SetDomainRequest& request,
                       v1::Domain& reply);
grpc::Status GetDomain(const AdminParts& parts, const v1::GetDomainRequest& request,
                       v1::Domain& reply);
grpc::Status ListDomains(const AdminParts& parts, const v1::ListDomainsRequest& request,
                         v1::ListDomainsReply& reply);
grpc::Status DeleteDomain(const AdminParts& parts, const v1::DeleteDomainRequest& request);

}  // namespace sasld
