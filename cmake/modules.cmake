# The headers that most sources see, parsed once: for builds of everything. `dev` and `tidy` do
# without, and so notice a missing #include.
if(LLMBATCH_PCH)
  add_library(llmbatch_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
  target_link_libraries(llmbatch_pch PRIVATE llmbatch_settings fmt::fmt tl::expected
    nlohmann_json::nlohmann_json)
  set(llmbatch_common_headers <algorithm> <array> <charconv> <chrono> <filesystem> <functional>
    <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <unordered_map>
    <utility> <variant> <vector> <fmt/chrono.h> <fmt/format.h> <nlohmann/json.hpp>
    <tl/expected.hpp>)
  target_precompile_headers(llmbatch_pch PRIVATE ${llmbatch_common_headers})
endif()

# One static library per module: src/<module>/*.cc and include/llmbatch/<module>/*.h.
function(llmbatch_module name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  if(sources)
    add_library(llmbatch_${name} STATIC ${sources})
    target_link_libraries(llmbatch_${name} PUBLIC llmbatch_settings ${ARGN})
    if(LLMBATCH_PCH)
      target_precompile_headers(llmbatch_${name} REUSE_FROM llmbatch_pch)
    endif()
  else()
    add_library(llmbatch_${name} INTERFACE)
    target_link_libraries(llmbatch_${name} INTERFACE llmbatch_settings ${ARGN})
  endif()
endfunction()

llmbatch_module(base tl::expected fmt::fmt spdlog::spdlog PkgConfig::XXHASH Threads::Threads)
llmbatch_module(model llmbatch_base nlohmann_json::nlohmann_json)
llmbatch_module(policy llmbatch_model)
include(${CMAKE_CURRENT_LIST_DIR}/token_filter.cmake)
llmbatch_module(port llmbatch_model)
llmbatch_module(net llmbatch_port CURL::libcurl)
llmbatch_module(provider llmbatch_port llmbatch_policy nlohmann_json::nlohmann_json simdjson::simdjson)
llmbatch_module(check llmbatch_port nlohmann_json::nlohmann_json valijson PkgConfig::PCRE2)
llmbatch_module(store llmbatch_port SQLite::SQLite3 PkgConfig::ZSTD nlohmann_json::nlohmann_json)
llmbatch_module(input llmbatch_port simdjson::simdjson nlohmann_json::nlohmann_json ZLIB::ZLIB
  PkgConfig::ZSTD)
llmbatch_module(tokenizer llmbatch_port llmbatch_policy PkgConfig::PCRE2 simdjson::simdjson)
llmbatch_module(engine llmbatch_port llmbatch_policy)
llmbatch_module(ui llmbatch_port llmbatch_policy nlohmann_json::nlohmann_json)
llmbatch_module(report llmbatch_port llmbatch_policy nlohmann_json::nlohmann_json)
llmbatch_module(sim llmbatch_port PkgConfig::MICROHTTPD nlohmann_json::nlohmann_json)
llmbatch_module(app llmbatch_engine llmbatch_net llmbatch_provider llmbatch_store llmbatch_input
  llmbatch_ui llmbatch_report llmbatch_sim llmbatch_tokenizer llmbatch_check CLI11::CLI11
  PkgConfig::TOMLPLUSPLUS)
