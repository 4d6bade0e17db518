# The shipped price table, data/prices.json, becomes a string in the library of module policy.
set(prices_json ${CMAKE_SOURCE_DIR}/data/prices.json)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${prices_json})
file(READ ${prices_json} LLMBATCH_PRICES_JSON)
configure_file(${CMAKE_SOURCE_DIR}/cmake/shipped_prices.cc.in
  ${CMAKE_BINARY_DIR}/generated/shipped_prices.cc @ONLY)
target_sources(llmbatch_policy PRIVATE ${CMAKE_BINARY_DIR}/generated/shipped_prices.cc)
