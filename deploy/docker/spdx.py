"""The list of what is in an image, in SPDX 2.3's JSON."""
import datetime
import json
import re
import uuid

import debian_packages


def write(path, image, version, present, compiled_in, used):
    """`present`: names of Debian packages of which files are in the image. `compiled_in`: of those whose archives were
    linked into its programs. `used`: of further ones whose headers they were compiled with."""
    root = {"SPDXID": "SPDXRef-image", "name": image, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "primaryPackagePurpose": "CONTAINER"}
    packages, relations = [root], [_relation("SPDXRef-DOCUMENT", "DESCRIBES", root["SPDXID"])]
    for name in sorted(present | compiled_in | used):
        package = _debian(name)
        packages.append(package)
        if name in present:
            relations.append(_relation(root["SPDXID"], "CONTAINS", package["SPDXID"]))
        if name in compiled_in:
            relations.append(_relation(root["SPDXID"], "STATIC_LINK", package["SPDXID"]))
        if name in used:
            relations.append(_relation(package["SPDXID"], "BUILD_DEPENDENCY_OF", root["SPDXID"]))
    now = datetime.datetime.now(datetime.timezone.utc)
    content = json.dumps([packages, relations])
    document = {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": image,
        # The same for the same content.
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "creationInfo": {"created": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": [f"Tool: {image}-{version}-build"]},
        "packages": packages, "relationships": relations}
    path.write_text(json.dumps(document, indent=1) + "\n")


def _debian(name):
    known = debian_packages.fields(name)
    purl = (f"pkg:deb/debian/{known['name']}@{known['version'].replace(':', '%3A').replace('+', '%2B')}"
            f"?arch={known['architecture']}&distro=debian-12")
    package = {
        "SPDXID": "SPDXRef-deb-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": known["version"],
        "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "sourceInfo": f"built from {known['source']} {known['source_version']}",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]}
    if known["homepage"]:
        package["homepage"] = known["homepage"]
    return package


def _relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
