# src/policy/token_filter.bin (64-bit words, big-endian) as an array of the policy module.
set(filter_data ${CMAKE_SOURCE_DIR}/src/policy/token_filter.bin)
set(filter_source ${CMAKE_BINARY_DIR}/generated/token_filter.cc)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${filter_data})
if(${filter_data} IS_NEWER_THAN ${filter_source} OR
   ${CMAKE_CURRENT_LIST_FILE} IS_NEWER_THAN ${filter_source})
  file(READ ${filter_data} words HEX)
  string(REGEX REPLACE "(................)" "0x\\1,\n" words "${words}")
  file(WRITE ${filter_source} "#include \"token_filter.h\"\n\n"
    "namespace llmbatch {\nconst std::uint64_t kTokenFilter[kTokenFilterWords] = {\n"
    "${words}};\n}  // namespace llmbatch\n")
endif()
target_sources(llmbatch_policy PRIVATE ${filter_source})
set_source_files_properties(${filter_source} PROPERTIES
  INCLUDE_DIRECTORIES ${CMAKE_SOURCE_DIR}/src/policy)
