// What every BatchApi promises, as tests. A provider brings a BatchWorld, whose replies have the
// shapes of its API reference, and says
//   INSTANTIATE_TEST_SUITE_P(Mine, BatchApiContract, testing::Values(my_world()));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "llmbatch/provider/make_batch_api.h"
#include "llmbatch/provider/make_provider.h"

namespace llmbatch::testing {

struct BatchWorld {
  using Json = nlohmann::json;

  std::string name;
  ProviderConfig config;
  std::string request_body;  ///< of a request of this wire format
  std::string success;       ///< what real time answers with HTTP 200
  std::string error;         ///< a permanent error of real time
  int error_status = 400;
  /// A batch with this state word, its counts, and files where it has ended.
  std::function<Json(const std::string& word, bool with_results)> batch;
  /// Wraps what create() is answered; the identity for most.
  std::function<Json(Json)> created = [](Json json) { return json; };
  /// A page of a list; `more`: another one follows.
  std::function<Json(std::vector<Json>, bool more)> page;
  std::function<Json(std::vector<Json>, bool more)> file_page;
  Json file;              ///< an uploaded file, as get_file() tells it
  std::string file_name;  ///< of `file`
  std::vector<std::pair<std::string, RemoteBatchState>> words;
  std::size_t results = 1;  ///< files of an ended batch
  /// Result lines for custom id `c`.
  std::string good_line;
  std::string error_line;
  std::vector<std::string> unanswered_lines;
  /// Where the model of a line is named; empty: not in the line.
  Json::json_pointer line_model;
  std::string model_in_line = "some-model";
  /// A reply without a list is a list of nothing.
  bool may_leave_out_list = false;
  Json::json_pointer line_id;
  Json::json_pointer line_body;
};

inline std::ostream& operator<<(std::ostream& out, const BatchWorld& world) {
  return out << world.name;
}

inline HttpReply ok_reply(std::string body) {
  HttpReply reply;
  reply.status = 200;
  reply.body = std::move(body);
  return reply;
}

class BatchApiContract : public ::testing::TestWithParam<BatchWorld> {
 protected:
  using Json = nlohmann::json;

  void SetUp() override {
    auto made = make_batch_api(GetParam().config);
    ASSERT_TRUE(made) << made.error().message;
    api_ = std::move(*made);
    auto provider = make_provider(GetParam().config);
    ASSERT_TRUE(provider) << provider.error().message;
    provider_ = std::move(*provider);
    draft_.tag = "llmbatch-0123456789abcdef";
    draft_.file_path = "/spool/file.jsonl";
    draft_.file_bytes = 12;
    draft_.requests = 2;
    draft_.first.model = "some-model";
    draft_.first.url = "https://example.com/somewhere";
    draft_.input_file = "file-1";
  }

  /// The line, without what joins it to others.
  Json line_of(const std::string& body, const std::string& id = "c") {
    Request request;
    request.body = body;
    request.model = "some-model";
    std::string text;
    const Status appended = api_->append_line(text, id, request, true);
    EXPECT_TRUE(appended) << appended.error().message;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    return Json::parse(text, nullptr, false);
  }
  RemoteBatch batch_of(const Json& json) {
    const auto batch = api_->parse_batch(ok_reply(json.dump()));
    EXPECT_TRUE(batch) << batch.error().message;
    return batch ? *batch : RemoteBatch{};
  }
  BatchAnswer answer_of(const std::string& line) {
    const auto answer = api_->parse_answer(line);
    EXPECT_TRUE(answer) << line << ": " << answer.error().message;
    return answer ? *answer : BatchAnswer{};
  }
  bool is_under_base(const ApiRequest& request) {
    const auto base = effective_base_url(GetParam().config);
    return request.url.starts_with(base->substr(0, base->find('/', 8)));
  }

  std::unique_ptr<BatchApi> api_;
  std::unique_ptr<Provider> provider_;
  BatchDraft draft_;
};

TEST_P(BatchApiContract, ALineHoldsTheIdAndTheRequest) {
  const BatchWorld& world = GetParam();
  const std::string id = "0123456789abcdef-000000042";
  const Json line = line_of(world.request_body, id);
  ASSERT_TRUE(line.is_object());
  EXPECT_EQ(line.value(world.line_id, ""), id);
  Json body = Json::parse(world.request_body);
  if (world.line_model.empty()) {
    body.erase("model");
  } else {
    EXPECT_EQ(line.value(world.line_model, ""), world.model_in_line);
    body["model"] = world.model_in_line;
  }
  EXPECT_EQ(line.at(world.line_body), body);
}

TEST_P(BatchApiContract, ABodyOverSeveralLinesBecomesOneLine) {
  std::string body = GetParam().request_body;
  body.insert(1, "\n  ");
  body.insert(body.size() - 1, "\r\n");
  EXPECT_TRUE(line_of(body).is_object());
}

TEST_P(BatchApiContract, StreamsAreRefused) {
  // Gemini's body has no such member: there a stream is another path.
  if (GetParam().config.wire_format == WireFormat::gemini_generate) return;
  Request request;
  request.body = GetParam().request_body;
  request.body.insert(1, R"("stream":true,)");
  std::string text;
  EXPECT_FALSE(api_->append_line(text, "c", request, true));
}

TEST_P(BatchApiContract, AnUploadLeadsToItsFile) {
  if (!api_->capabilities().uploads_file) return;
  ApiRequest request = api_->upload(draft_);
  const std::string done = GetParam().config.wire_format == WireFormat::gemini_generate
                               ? Json{{"file", GetParam().file}}.dump()
                               : GetParam().file.dump();
  for (int calls = 1;; ++calls) {
    ASSERT_LE(calls, 2);
    EXPECT_EQ(request.method, HttpMethod::post);
    EXPECT_TRUE(request.fresh_connection);
    EXPECT_TRUE(is_under_base(request)) << request.url;
    HttpReply reply = ok_reply(done);
    if (request.body_file.empty()) {
      reply.body = "{}";
      reply.headers = "X-Goog-Upload-URL: " + request.url + "?upload_id=1\r\n";
    } else {
      EXPECT_EQ(request.body_file, draft_.file_path);
    }
    auto step = api_->after_upload(draft_, reply);
    ASSERT_TRUE(step) << step.error().message;
    if (step->file) {
      EXPECT_FALSE(step->file->id.empty());
      return;
    }
    request = std::move(*step->request);
  }
}

TEST_P(BatchApiContract, ALostUploadIsFoundByItsName) {
  if (!api_->capabilities().uploads_file) return;
  EXPECT_THAT(api_->file_name(draft_), ::testing::HasSubstr(draft_.tag));
  const auto page =
      api_->parse_files(ok_reply(GetParam().file_page({GetParam().file}, false).dump()), "");
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->files.size(), 1u);
  EXPECT_EQ(page->files[0].name, GetParam().file_name);
  EXPECT_FALSE(page->files[0].id.empty());
  EXPECT_TRUE(page->next.empty());
}

TEST_P(BatchApiContract, CreatingNamesFileOrLinesAndTag) {
  const ApiRequest request = api_->create(draft_);
  EXPECT_EQ(request.method, HttpMethod::post);
  EXPECT_TRUE(request.fresh_connection);
  EXPECT_TRUE(is_under_base(request)) << request.url;
  const BatchCapabilities& can = api_->capabilities();
  if (can.uploads_file) {
    EXPECT_TRUE(request.body_file.empty());
    EXPECT_THAT(request.body, ::testing::HasSubstr("\"file-1\""));
    EXPECT_TRUE(Json::accept(request.body)) << request.body;
  } else {
    EXPECT_EQ(request.body_file, draft_.file_path);
    std::string lines;
    Request line;
    line.body = GetParam().request_body;
    ASSERT_TRUE(api_->append_line(lines, "a", line, true));
    ASSERT_TRUE(api_->append_line(lines, "b", line, false));
    EXPECT_TRUE(Json::accept(request.body + lines + request.body_end));
  }
  if (can.echoes_tag) {
    EXPECT_THAT(request.body, ::testing::HasSubstr(draft_.tag));
  }
}

TEST_P(BatchApiContract, ABatchTellsWhatItWasMadeOf) {
  const auto& [word, state] = GetParam().words.front();
  const RemoteBatch batch = batch_of(GetParam().created(GetParam().batch(word, false)));
  EXPECT_FALSE(batch.id.empty());
  EXPECT_EQ(batch.state, state);
  if (api_->capabilities().echoes_tag) {
    EXPECT_EQ(batch.tag, draft_.tag);
  } else {
    EXPECT_TRUE(batch.tag.empty());
  }
  if (api_->capabilities().uploads_file) {
    EXPECT_EQ(batch.input_file, draft_.input_file);
  }
  EXPECT_TRUE(batch.created_at);
}

TEST_P(BatchApiContract, EveryWordIsAState) {
  for (const auto& [word, state] : GetParam().words) {
    const RemoteBatch batch = batch_of(GetParam().batch(word, false));
    EXPECT_EQ(batch.state, state) << word;
    EXPECT_EQ(batch.state_word, word);
  }
}

TEST_P(BatchApiContract, AWordOfTomorrowHasNotEnded) {
  const RemoteBatch batch = batch_of(GetParam().batch("reticulating", false));
  EXPECT_EQ(batch.state, RemoteBatchState::unknown);
  EXPECT_FALSE(has_ended(batch.state));
}

TEST_P(BatchApiContract, AnEndedBatchNamesItsResults) {
  const std::string& word = GetParam().words.back().first;
  const RemoteBatch batch = batch_of(GetParam().batch(word, true));
  EXPECT_EQ(batch.results.size(), GetParam().results);
  for (const std::string& result : batch.results) {
    const ApiRequest request = api_->download(result);
    EXPECT_EQ(request.method, HttpMethod::get);
    EXPECT_TRUE(is_under_base(request)) << request.url;
  }
  EXPECT_TRUE(batch_of(GetParam().batch(word, false)).results.empty());
}

TEST_P(BatchApiContract, PagesOfBatchesGoOn) {
  const std::string& word = GetParam().words.front().first;
  const Json one = GetParam().batch(word, false);
  const auto last = api_->parse_batches(ok_reply(GetParam().page({one}, false).dump()), "");
  ASSERT_TRUE(last) << last.error().message;
  ASSERT_EQ(last->batches.size(), 1u);
  EXPECT_FALSE(last->batches[0].id.empty());
  EXPECT_TRUE(last->next.empty());
  const Json page = GetParam().page(std::vector<Json>(100, one), true);
  const auto more = api_->parse_batches(ok_reply(page.dump()), "");
  ASSERT_TRUE(more) << more.error().message;
  if (page.is_array()) return;  // it has no pages
  ASSERT_FALSE(more->next.empty());
  EXPECT_NE(api_->list(more->next).url, api_->list("").url);
}

TEST_P(BatchApiContract, AGoodAnswerIsTheOneOfRealTime) {
  const BatchAnswer answer = answer_of(GetParam().good_line);
  EXPECT_EQ(answer.custom_id, "c");
  ASSERT_TRUE(answer.answered);
  EXPECT_EQ(answer.reply.status, 200);
  EXPECT_EQ(answer.reply.body, GetParam().success);
  const Outcome outcome = provider_->parse_response(answer.reply);
  EXPECT_EQ(outcome.error, ErrorClass::none) << outcome.message;
  EXPECT_TRUE(outcome.completion.has_usage);
}

TEST_P(BatchApiContract, AnErrorIsTheOneOfRealTime) {
  HttpReply realtime;
  realtime.status = GetParam().error_status;
  realtime.body = GetParam().error;
  const Outcome wanted = provider_->parse_response(realtime);
  const BatchAnswer answer = answer_of(GetParam().error_line);
  ASSERT_TRUE(answer.answered);
  const Outcome outcome = provider_->parse_response(answer.reply);
  EXPECT_EQ(outcome.error, wanted.error);
  EXPECT_EQ(outcome.message, wanted.message);
}

TEST_P(BatchApiContract, WhatWasNotAnsweredSaysWhy) {
  for (const std::string& line : GetParam().unanswered_lines) {
    const BatchAnswer answer = answer_of(line);
    EXPECT_EQ(answer.custom_id, "c") << line;
    EXPECT_FALSE(answer.answered) << line;
    EXPECT_FALSE(answer.reason.empty()) << line;
  }
}

TEST_P(BatchApiContract, WhatIsNoResultLineIsAnError) {
  for (const char* line : {"", "nonsense", "[]", "{}", "null", "{\"custom_id\":", "{\"key\":1}"}) {
    EXPECT_FALSE(api_->parse_answer(line)) << line;
  }
  const std::string& good = GetParam().good_line;
  EXPECT_FALSE(api_->parse_answer(good.substr(0, good.size() / 2)));
}

TEST_P(BatchApiContract, WhatFollowsALineIsNotLost) {
  const std::string& good = GetParam().good_line;
  EXPECT_TRUE(api_->parse_answer(" " + good + " \r"));
  for (const std::string& rest : {good, " " + good, GetParam().error_line, std::string("x"),
                                  std::string("{}"), std::string("}"), std::string(",")}) {
    EXPECT_FALSE(api_->parse_answer(good + rest)) << good + rest;
  }
}

TEST_P(BatchApiContract, AnUnreadableListIsNotAnEmptyOne) {
  if (GetParam().may_leave_out_list) return;
  for (const char* body : {"{}", R"({"error":{"message":"m"}})", R"({"data":{}})"}) {
    EXPECT_FALSE(api_->parse_batches(ok_reply(body), "")) << body;
    if (api_->capabilities().uploads_file) {
      EXPECT_FALSE(api_->parse_files(ok_reply(body), "")) << body;
    }
  }
}

TEST_P(BatchApiContract, DotsInIdsAreNoSteps) {
  for (const char* id : {".", ".."}) {
    for (const ApiRequest& request : {api_->get(id), api_->cancel(id), api_->download(id)}) {
      const std::string path = request.url.substr(0, request.url.find('?')) + "/";
      EXPECT_EQ(path.find("/./"), std::string::npos) << request.url;
      EXPECT_EQ(path.find("/../"), std::string::npos) << request.url;
      EXPECT_EQ(path.find("/.:"), std::string::npos) << request.url;
      EXPECT_EQ(path.find("/..:"), std::string::npos) << request.url;
    }
  }
}

TEST_P(BatchApiContract, TheQueryOfTheBaseStaysBehindThePath) {
  ProviderConfig config = GetParam().config;
  const auto base = effective_base_url(config);
  ASSERT_TRUE(base);
  config.base_url = base->substr(0, base->find('?')) + "?tenant=7";
  const auto made = make_batch_api(config);
  ASSERT_TRUE(made) << made.error().message;
  const BatchApi& api = **made;
  std::vector<ApiRequest> requests = {api.create(draft_), api.get("b"),  api.cancel("b"),
                                      api.list(""),       api.list("1"), api.download("f")};
  if (api.capabilities().uploads_file) {
    requests.push_back(api.upload(draft_));
    requests.push_back(api.list_files(""));
    requests.push_back(api.get_file("f"));
    requests.push_back(api.delete_file("f"));
  }
  for (const ApiRequest& request : requests) {
    const std::size_t query = request.url.find('?');
    ASSERT_NE(query, std::string::npos) << request.url;
    EXPECT_EQ(request.url.find('/', query), std::string::npos) << request.url;
    EXPECT_THAT(request.url.substr(query), ::testing::StartsWith("?tenant=7")) << request.url;
    EXPECT_EQ(request.url.find('?', query + 1), std::string::npos) << request.url;
  }
}

TEST_P(BatchApiContract, RepliesThatAreNotUnderstoodAreErrors) {
  for (const char* body : {"", "<html>", "[1", "\"x\""}) {
    EXPECT_FALSE(api_->parse_batch(ok_reply(body))) << body;
    EXPECT_FALSE(api_->parse_batches(ok_reply(body), "")) << body;
  }
}

TEST_P(BatchApiContract, IdsAreEscapedInUrls) {
  const std::string odd = "a b?c#d&e%/../é";
  for (const ApiRequest& request :
       {api_->get(odd), api_->cancel(odd), api_->list(odd), api_->download(odd)}) {
    const std::size_t path = request.url.find('/', 8);
    EXPECT_EQ(request.url.find_first_of(" #\"", path), std::string::npos) << request.url;
    EXPECT_THAT(request.url, ::testing::Not(::testing::HasSubstr("b?c"))) << request.url;
    EXPECT_THAT(request.url, ::testing::Not(::testing::HasSubstr("d&e"))) << request.url;
  }
}

TEST_P(BatchApiContract, CancellingIsAPostThatIsUnderstood) {
  EXPECT_EQ(api_->cancel("b").method, HttpMethod::post);
  EXPECT_EQ(api_->get("b").method, HttpMethod::get);
}

}  // namespace llmbatch::testing
