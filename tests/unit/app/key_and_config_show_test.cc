#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "app_fixture.h"
#include "llmbatch/app/api_key.h"
#include "llmbatch/app/config_show.h"
#include "llmbatch/app/run_options.h"

namespace llmbatch {
namespace {

using testing::HasSubstr;
using testing::Not;

class ApiKeyTest : public AppTest {
 protected:
  ApiKeyTest() {
    request_.provider = "openai";
    request_.variables = {"FIRST_API_KEY", "SECOND_API_KEY"};
    request_.required = true;
    request_.url = "https://api.example.com/v1";
  }

  ApiKeyRequest request_;
};

TEST_F(ApiKeyTest, FirstVariableThatIsSetCounts) {
  variables_["FIRST_API_KEY"] = "";
  variables_["SECOND_API_KEY"] = "sk-two\n";
  const auto key = read_api_key(request_, environment_);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->value, "sk-two");
  EXPECT_EQ(key->origin, "env SECOND_API_KEY");
}

TEST_F(ApiKeyTest, FileWinsAndIsWarnedAboutWhenOthersCanReadIt) {
  variables_["FIRST_API_KEY"] = "sk-one";
  request_.file = write("key.txt", "sk-file\r\n");
  ASSERT_EQ(::chmod(request_.file->c_str(), 0600), 0);
  const auto key = read_api_key(request_, environment_);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->value, "sk-file");
  EXPECT_TRUE(key->warnings.empty());
  ASSERT_EQ(::chmod(request_.file->c_str(), 0644), 0);
  EXPECT_EQ(read_api_key(request_, environment_)->warnings.size(), 1U);
}

TEST_F(ApiKeyTest, MissingKeyIsAnErrorOnlyWhereOneIsNeeded) {
  const auto missing = read_api_key(request_, environment_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::usage);
  EXPECT_THAT(missing.error().message, HasSubstr("FIRST_API_KEY or SECOND_API_KEY"));
  request_.required = false;
  request_.url = "http://192.168.1.5/v1";
  const auto none = read_api_key(request_, environment_);
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->value.empty());
}

TEST_F(ApiKeyTest, MalformedKeyIsRefusedWithoutShowingIt) {
  for (const std::string bad : {"sk-x\r\nEvil: 1", "sk x", "sk-\xc3\xa9"}) {
    variables_["FIRST_API_KEY"] = bad;
    const auto key = read_api_key(request_, environment_);
    ASSERT_FALSE(key) << bad;
    EXPECT_THAT(key.error().message, Not(HasSubstr("sk")));
  }
}

TEST_F(ApiKeyTest, PlainHttpIsForLoopbackOnly) {
  variables_["FIRST_API_KEY"] = "sk-one";
  for (const char* url : {"http://localhost:8000/v1", "http://127.0.0.1/v1", "http://127.9.8.7:1",
                          "http://[::1]:80/", "HTTP://LocalHost", "https://api.example.com"}) {
    request_.url = url;
    EXPECT_TRUE(read_api_key(request_, environment_)) << url;
  }
  for (const char* url :
       {"http://example.com/v1", "http://127.0.0.1.example.com/", "http://localhost.example.com",
        "http://127.0.0.1@example.com", "HTTP://10.0.0.1", "http://128.0.0.1", "http://[::2]/"}) {
    request_.url = url;
    const auto key = read_api_key(request_, environment_);
    ASSERT_FALSE(key) << url;
    EXPECT_EQ(key.error().kind, ErrorKind::usage);
    EXPECT_THAT(key.error().message, Not(HasSubstr("sk-one")));
  }
}

class ConfigShowTest : public AppTest {};

TEST_F(ConfigShowTest, ShowsValuesWithOriginsAndIsItselfAConfiguration) {
  variables_["LLMBATCH_RPM"] = "500";
  variables_["LLMBATCH_PROMPT"] = "Say \"{{x}}\"\n# now";
  write("work/llmbatch.toml", "stop = ['a', 'b']\n[export]\nformat = 'csv'\n");
  const auto parsed = parse({"config", "show"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const std::string table = config_table(parsed->settings, {}, environment_);
  EXPECT_THAT(table, testing::ContainsRegex("\nrpm = 500 +# env LLMBATCH_RPM\n"));
  EXPECT_THAT(table, testing::ContainsRegex("\nformat = \"csv\" +# llmbatch.toml:3\n"));
  EXPECT_THAT(table, testing::ContainsRegex("\nmax-retries = 5 +# default\n"));
  EXPECT_THAT(table, testing::ContainsRegex("\n# tpm = +# not set\n"));

  variables_.erase("LLMBATCH_RPM");
  variables_.erase("LLMBATCH_PROMPT");
  write("work/llmbatch.toml", table);
  const auto again = parse({"run", "x"});
  ASSERT_TRUE(again) << again.error().message << "\n" << table;
  EXPECT_EQ(again->settings.integer("rpm"), 500);
  EXPECT_EQ(again->settings.text("prompt"), "Say \"{{x}}\"\n# now");
  EXPECT_EQ(again->settings.list("stop"), (std::vector<std::string>{"a", "b"}));
  // Defaults that are written down must not turn into choices of the user.
  const auto options = make_run_options("x", again->settings);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_FALSE(options->model.wire_format);
}

TEST_F(ConfigShowTest, NeverShowsKeys) {
  variables_["OPENAI_API_KEY"] = "sk-secret";
  variables_["LLMBATCH_SIMULATE_REQUIRE_KEY"] = "sim-secret";
  variables_["LLMBATCH_BASE_URL"] = "https://host/v1?key=url-secret";
  const auto parsed = parse({"config", "show", "--json"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const std::vector<std::string> keys{"OPENAI_API_KEY", "GROQ_API_KEY"};
  const std::string table = config_table(parsed->settings, keys, environment_);
  const std::string json = config_json(parsed->settings, keys, environment_);
  EXPECT_THAT(table, Not(HasSubstr("secret")));
  EXPECT_THAT(json, Not(HasSubstr("secret")));
  EXPECT_THAT(table, HasSubstr("# OPENAI_API_KEY: set (env OPENAI_API_KEY)\n"));
  EXPECT_THAT(table, HasSubstr("# GROQ_API_KEY: not set\n"));
  const auto document = nlohmann::json::parse(json);
  EXPECT_EQ(document["keys"][0]["set"], true);
  EXPECT_EQ(document["keys"][1]["set"], false);
}

TEST_F(ConfigShowTest, JsonHasKeyValueAndOrigin) {
  variables_["LLMBATCH_RPM"] = "500";
  const auto parsed = parse({"config", "show"});
  ASSERT_TRUE(parsed);
  const auto document = nlohmann::json::parse(config_json(parsed->settings, {}, environment_));
  bool found = false;
  for (const auto& setting : document["settings"]) {
    if (setting["key"] != "rpm") continue;
    found = true;
    EXPECT_EQ(setting["value"], 500);
    EXPECT_EQ(setting["origin"], "env LLMBATCH_RPM");
    EXPECT_EQ(setting["environment"], "LLMBATCH_RPM");
    EXPECT_EQ(setting["flag"], "--rpm");
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace llmbatch
