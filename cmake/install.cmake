# What `cmake --install` and `cpack -G DEB` deliver: the program, its manual page and completions
# (printed by the program itself, so that they cannot differ from it), license and README.
include(GNUInstallDirs)

target_compile_definitions(llmbatch_app PUBLIC LLMBATCH_VERSION="${PROJECT_VERSION}")

option(LLMBATCH_PAGES "build the manual page and the completions" ON)
if(LLMBATCH_PAGES AND NOT CMAKE_CROSSCOMPILING)
  set(pages_dir ${CMAKE_BINARY_DIR}/pages)
  file(MAKE_DIRECTORY ${pages_dir})

  # Runs the program with the given arguments and keeps what it prints; a failure leaves no file.
  function(llmbatch_page file)
    add_custom_command(OUTPUT ${pages_dir}/${file}
      COMMAND $<TARGET_FILE:llmbatch> ${ARGN} > ${pages_dir}/${file}.part
      COMMAND ${CMAKE_COMMAND} -E rename ${pages_dir}/${file}.part ${pages_dir}/${file}
      DEPENDS llmbatch VERBATIM)
  endfunction()
  llmbatch_page(llmbatch.1 man)
  llmbatch_page(llmbatch.bash completions bash)
  llmbatch_page(_llmbatch completions zsh)
  llmbatch_page(llmbatch.fish completions fish)
  set(pages llmbatch.1 llmbatch.bash _llmbatch llmbatch.fish)
  list(TRANSFORM pages PREPEND ${pages_dir}/)

  find_program(GZIP gzip)
  if(GZIP)
    # Debian wants manual pages compressed, without a time stamp.
    add_custom_command(OUTPUT ${pages_dir}/llmbatch.1.gz
      COMMAND ${GZIP} -9 -n -c ${pages_dir}/llmbatch.1 > ${pages_dir}/llmbatch.1.gz
      DEPENDS ${pages_dir}/llmbatch.1 VERBATIM)
    list(APPEND pages ${pages_dir}/llmbatch.1.gz)
    set(man_page ${pages_dir}/llmbatch.1.gz)
  else()
    set(man_page ${pages_dir}/llmbatch.1)
  endif()
  add_custom_target(llmbatch_pages ALL DEPENDS ${pages})

  install(FILES ${man_page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${pages_dir}/llmbatch.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME llmbatch)
  # zsh looks for packaged completions in another directory than for local ones.
  install(CODE "
    set(functions site-functions)
    if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
      set(functions vendor-completions)
    endif()
    file(INSTALL \"${pages_dir}/_llmbatch\"
      DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${functions}\")")
  install(FILES ${pages_dir}/llmbatch.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

install(TARGETS llmbatch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Debian's name for the license file of a package is copyright.
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(FILES ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGE_NAME llmbatch)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "llmbatch")
set(CPACK_PACKAGE_CONTACT "The llmbatch authors <llmbatch@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "batch runner for LLM calls")
set(CPACK_PACKAGE_DESCRIPTION
  "Sends every item of a JSONL file to an LLM, as fast as the account allows, survives crashes, and keeps one result per item in a SQLite file.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${CPACK_PACKAGE_CONTACT})
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Nothing is linked against the certificates, but without them no provider can be reached.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
include(CPack)
