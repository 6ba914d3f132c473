# Debian packages of the components of ../CMakeLists.txt, by CPack. What is not of CMake's making is added by staging.cmake.
# README.md tells how to build them.

# The newest entry of the Debian changelog has the packages' version. Who counts up the project must write one.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/changelog newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^sasld \\((.+)-([^-]+)\\)" OR NOT CMAKE_MATCH_1 STREQUAL PROJECT_VERSION)
  message(FATAL_ERROR "deploy/debian/changelog: the newest entry is not of version ${PROJECT_VERSION}, which the project "
    "has in CMakeLists.txt. Write one on top: sasld (${PROJECT_VERSION}-1)")
endif()
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CMAKE_MATCH_2})

# Whoever builds packages for others names himself, by what Debian's own tools read.
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "sasld maintainers <maintainers@sasld.invalid>")
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(CPACK_DEBIAN_PACKAGE_MAINTAINER "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sasld)
set(CPACK_PACKAGE_VENDOR sasld)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/build/packages)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)
# Whatever the umask of whoever builds.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SOURCE sasld)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/staging.cmake)

# debian_package(COMPONENT NAME SECTION SUMMARY [FIELD VALUE]...): one package. NAME.description has the rest of its description,
# the folder NAME its control files. FIELD: DEPENDS, RECOMMENDS and so on, as CPack calls them; libraries are added to DEPENDS.
set(here ${CMAKE_CURRENT_LIST_DIR})
set(CPACK_COMPONENTS_ALL "")
macro(debian_package component name section summary)
  string(TOUPPER ${component} upper)
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${here}/${name}.description)
  file(READ ${here}/${name}.description description)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${description}")
  file(GLOB control CONFIGURE_DEPENDS ${here}/${name}/*)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA ${control})
  set(fields ${ARGN})
  while(fields)
    list(POP_FRONT fields field value)
    set(CPACK_DEBIAN_${upper}_PACKAGE_${field} "${value}")
  endwhile()
endmacro()

# The adapter of another machine needs no saslctl, and an adapter here may ask a sasld elsewhere: nothing depends on another.
debian_package(sasld sasld mail "SASL authentication server for mail servers"
  DEPENDS "adduser" RECOMMENDS "saslctl" SUGGESTS "sasld-adapter")
debian_package(sasld-adapter sasld-adapter mail "lets mail servers delegate SASL authentication to sasld"
  DEPENDS "adduser" SUGGESTS "sasld, postfix | exim4-daemon-heavy | dovecot-core | nginx")
debian_package(saslctl saslctl mail "administration tool for the SASL authentication server sasld"
  SUGGESTS "sasld")
if(TARGET sasld-libsasl2)
  # It speaks to the adapter of this machine and does nothing without.
  debian_package(libsasl2 libsasl2-modules-sasld libs "Cyrus SASL - pluggable authentication module for sasld"
    DEPENDS "libsasl2-2" RECOMMENDS "sasld-adapter" MULTIARCH same)
endif()
include(CPack)
