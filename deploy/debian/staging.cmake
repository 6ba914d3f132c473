# Run by CPack between installing the components into their staging folders and packing these: what Debian's policy wants of a
# package and other installations do not have.
# - manual pages compressed
# - /usr/share/doc/PACKAGE with changelogs, the copyright file, README.Debian
# - lintian's overrides, each with its reason
# CPack reads this; packaging.cmake sets the variables.

# Left over from the installation, and file(INSTALL) would put it before its paths.
unset(ENV{DESTDIR})

function(compress file)
  execute_process(COMMAND gzip -9 -n -f ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(name ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(usr ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}/usr)
  if(NOT IS_DIRECTORY ${usr})
    message(FATAL_ERROR "staging.cmake: there is no ${usr}, so CPack keeps the component ${component} elsewhere")
  endif()

  file(GLOB_RECURSE pages ${usr}/share/man/*)
  foreach(page IN LISTS pages)
    compress(${page})
  endforeach()

  set(doc ${usr}/share/doc/${name})
  file(INSTALL ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${doc})
  file(INSTALL ${CMAKE_CURRENT_LIST_DIR}/changelog DESTINATION ${doc} RENAME changelog.Debian)
  file(INSTALL ${CMAKE_CURRENT_LIST_DIR}/../../CHANGELOG.md DESTINATION ${doc} RENAME changelog)
  compress(${doc}/changelog.Debian)
  compress(${doc}/changelog)
  if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/${name}.README.Debian)
    file(INSTALL ${CMAKE_CURRENT_LIST_DIR}/${name}.README.Debian DESTINATION ${doc} RENAME README.Debian)
  endif()
  if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/${name}.lintian-overrides)
    file(INSTALL ${CMAKE_CURRENT_LIST_DIR}/${name}.lintian-overrides DESTINATION ${usr}/share/lintian/overrides
      RENAME ${name})
  endif()
endforeach()
