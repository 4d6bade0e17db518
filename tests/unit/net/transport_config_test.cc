// Which environment variables the network honours.
#include "llmbatch/net/transport_config.h"

#include <gtest/gtest.h>

#include <map>

namespace llmbatch {
namespace {

TransportConfig with_environment(const std::map<std::string, std::string>& variables,
                                 TransportConfig config = {}) {
  apply_environment(config, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
  return config;
}

TEST(TransportConfig, ProxyIsUsedOnlyWhenAVariableNamesOne) {
  EXPECT_FALSE(with_environment({}).use_proxy);
  EXPECT_FALSE(with_environment({{"https_proxy", ""}}).use_proxy);
  EXPECT_FALSE(with_environment({{"no_proxy", "localhost"}}).use_proxy);
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    EXPECT_TRUE(with_environment({{name, "http://proxy:3128"}}).use_proxy) << name;
  }
}

TEST(TransportConfig, UpperCaseHttpProxyIsNotTrusted) {
  EXPECT_FALSE(with_environment({{"HTTP_PROXY", "http://proxy:3128"}}).use_proxy);
}

TEST(TransportConfig, CertificatesComeFromTheVariablesOfCurl) {
  const auto both = with_environment({{"SSL_CERT_FILE", "/a.pem"}, {"SSL_CERT_DIR", "/certs"}});
  EXPECT_EQ(both.ca_file, "/a.pem");
  EXPECT_EQ(both.ca_directory, "/certs");
  const auto bundle = with_environment({{"CURL_CA_BUNDLE", "/b.pem"}, {"SSL_CERT_FILE", "/a.pem"}});
  EXPECT_EQ(bundle.ca_file, "/b.pem");
}

TEST(TransportConfig, ConfiguredCertificatesBeatTheEnvironment) {
  TransportConfig config;
  config.ca_file = "/mine.pem";
  const auto result =
      with_environment({{"CURL_CA_BUNDLE", "/b.pem"}, {"SSL_CERT_DIR", "/certs"}}, config);
  EXPECT_EQ(result.ca_file, "/mine.pem");
  EXPECT_EQ(result.ca_directory, "");
}

}  // namespace
}  // namespace llmbatch
