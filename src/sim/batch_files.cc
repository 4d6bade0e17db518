// The simulated Files APIs: uploads, lists, and downloads that can be asked for in parts.
#include <algorithm>

#include "batch_service.h"
#include "llmbatch/base/text.h"

namespace llmbatch::sim {
namespace {

struct Form {
  std::string purpose;
  std::string file_name;
  std::string bytes;
};

/// The value of `name="..."` in a part's head.
std::string quoted(std::string_view head, std::string_view name) {
  const std::string mark = std::string(name) + "=\"";
  const std::size_t start = head.find(mark);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = head.substr(start + mark.size());
  return std::string(rest.substr(0, rest.find('"')));
}

/// multipart/form-data (RFC 7578), as far as it takes to read one file.
std::optional<Form> read_form(const HttpRequest& http) {
  const std::size_t at = http.content_type.find("boundary=");
  if (at == std::string::npos) return std::nullopt;
  const std::string mark = "--" + http.content_type.substr(at + 9);
  Form form;
  std::string_view rest = http.body;
  if (!rest.starts_with(mark)) return std::nullopt;
  const std::string next_mark = "\r\n" + mark;
  rest.remove_prefix(mark.size());
  while (rest.starts_with("\r\n")) {
    rest.remove_prefix(2);
    const std::size_t head_end = rest.find("\r\n\r\n");
    const std::size_t end = rest.find(next_mark);
    if (head_end == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
    const std::string_view head = rest.substr(0, head_end);
    const std::string_view value = rest.substr(head_end + 4, end - head_end - 4);
    const std::string name = quoted(head, " name");
    if (name == "purpose") form.purpose = value;
    if (name == "file") {
      form.file_name = quoted(head, "filename");
      form.bytes = value;
    }
    rest.remove_prefix(end + next_mark.size());
  }
  if (rest.substr(0, 2) != "--" || form.file_name.empty()) return std::nullopt;
  return form;
}

/// `bytes=N-`: where a download is to go on; absent without a range.
std::optional<std::size_t> range_start(const std::string& range) {
  constexpr std::string_view kUnit = "bytes=";
  if (!range.starts_with(kUnit)) return std::nullopt;
  return std::strtoull(range.c_str() + kUnit.size(), nullptr, 10);
}

}  // namespace

Reply BatchService::serve_files(const HttpRequest& http, const Target& target) {
  if (target.kind == "upload") return upload_resumable(http);
  if (target.id.empty()) {
    return http.method == "POST" ? upload(http, target) : list_files(http, target.family);
  }
  const bool gemini = target.family == Family::gemini;
  File* file = find_file(gemini ? "files/" + target.id : target.id);
  if (file == nullptr || file->gone) {
    return refuse(target.family, 404, "No such file: " + target.id);
  }
  if (http.method == "DELETE") {
    file->gone = true;
    return reply_with({{"id", file->id}, {"object", "file"}, {"deleted", true}});
  }
  if (target.verb == "content" || target.verb == "download") return content(http, *file);
  return reply_with(describe(*file));
}

BatchService::File* BatchService::find_file(const std::string& id) {
  for (const auto& file : files_) {
    if (file->id == id) return file.get();
  }
  return nullptr;
}

BatchService::File& BatchService::keep_file(Family family, std::string name, std::string purpose,
                                            std::string bytes) {
  auto file = std::make_unique<File>();
  const std::string number = std::to_string(next_id_++);
  file->id = family == Family::gemini ? "files/f" + number : "file-" + number;
  file->family = family;
  file->name = std::move(name);
  file->purpose = std::move(purpose);
  file->bytes = std::move(bytes);
  file->created_at = clock_.wall_now();
  files_.push_back(std::move(file));
  return *files_.back();
}

Reply BatchService::upload(const HttpRequest& http, const Target& target) {
  auto form = read_form(http);
  if (!form) return refuse(target.family, 400, "The form is incomplete or holds no file.");
  const char* purpose = target.family == Family::together ? "batch-api" : "batch";
  if (form->purpose != purpose) {
    return refuse(target.family, 400, "Invalid purpose: '" + form->purpose + "'.");
  }
  if (!form->file_name.ends_with(".jsonl")) {
    return refuse(target.family, 400, "The batch format must be .jsonl.");
  }
  ++counters_.files_uploaded;
  return stored("lost-upload",
                describe(keep_file(target.family, std::move(form->file_name),
                                   std::move(form->purpose), std::move(form->bytes))));
}

/// Google's: a first call names the file and is told where its bytes go.
Reply BatchService::upload_resumable(const HttpRequest& http) {
  if (http.upload_command == "start") {
    const Json body = Json::parse(http.body, nullptr, false);
    const auto file = body.is_object() ? body.find("file") : body.end();
    const std::string id = "u" + std::to_string(next_id_++);
    uploads_[id] = body.is_object() && file != body.end() ? file->value("displayName", "") : "";
    Reply reply = reply_with(Json::object());
    reply.headers.emplace_back("X-Goog-Upload-URL", http.origin + http.path + "?upload_id=" + id);
    return reply;
  }
  const auto begun = uploads_.find(argument(http, "upload_id"));
  if (begun == uploads_.end() || http.upload_command.find("finalize") == std::string::npos) {
    return refuse(Family::gemini, 400, "No such upload.");
  }
  File& file = keep_file(Family::gemini, begun->second, "", http.body);
  uploads_.erase(begun);
  ++counters_.files_uploaded;
  Reply reply = stored("lost-upload", Json{{"file", describe(file)}});
  reply.headers.emplace_back("X-Goog-Upload-Status", "final");
  return reply;
}

BatchService::Json BatchService::describe(File& file) {
  if (file.family == Family::gemini) {
    return {{"name", file.id},
            {"displayName", file.name},
            {"sizeBytes", std::to_string(file.bytes.size())},
            {"state", "ACTIVE"}};
  }
  // Azure looks at a file before it can be used.
  const bool pending = file.family == Family::azure && !file.looked_at;
  file.looked_at = true;
  return {{"id", file.id},
          {"object", "file"},
          {"bytes", file.bytes.size()},
          {"created_at",
           std::chrono::duration_cast<std::chrono::seconds>(file.created_at.time_since_epoch())
               .count()},
          {"filename", file.name},
          {"purpose", file.purpose},
          {"status", pending ? "pending" : "processed"}};
}

Reply BatchService::list_files(const HttpRequest& http, Family family) {
  const std::string purpose = argument(http, "purpose");
  std::vector<File*> all;
  for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
    const bool wanted = purpose.empty() || (*file)->purpose == purpose;
    if ((*file)->family == family && wanted && !(*file)->gone) all.push_back(file->get());
  }
  Json list = Json::array();
  const Page page = page_of(http, family, all.size(), [&](std::size_t i) { return all[i]->id; });
  for (std::size_t i = page.begin; i < page.end; ++i) list.push_back(describe(*all[i]));
  return reply_with(wrap_list(family, "files", std::move(list), page, all.size()));
}

Reply BatchService::content(const HttpRequest& http, File& file) {
  if (file.purpose != "batch_output") {
    return refuse(file.family, 400, "Files of this purpose cannot be downloaded.");
  }
  return send_bytes(http, file.family, file.bytes);
}

Reply BatchService::results(const HttpRequest& http, Batch& batch) {
  state_of(batch);
  File* file = find_file(batch.output_file);
  if (file == nullptr) return refuse(batch.family, 404, "This batch has no results yet.");
  return send_bytes(http, batch.family, file->bytes);
}

Reply BatchService::send_bytes(const HttpRequest& http, Family family, const std::string& bytes) {
  if (take("gone")) return refuse(family, 404, "The results are no longer available.");
  Reply reply;
  reply.content_type = "application/octet-stream";
  if (take("redirect")) {
    reply.status = 302;
    reply.headers.emplace_back("Location", http.path + "?alt=media&moved=1");
    return reply;
  }
  if (take("reset-download")) {
    reply.ending = Ending::no_answer;
    return reply;
  }
  reply.body = bytes;
  if (const auto start = range_start(http.range)) {
    if (*start >= bytes.size()) {
      reply.status = 416;
      reply.body.clear();
      return reply;
    }
    reply.status = 206;
    reply.body.erase(0, *start);
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(*start) + "-" +
                                                    std::to_string(bytes.size() - 1) + "/" +
                                                    std::to_string(bytes.size()));
  }
  if (take("cut-download")) {
    reply.ending = Ending::cut_body;
  } else {
    ++counters_.files_downloaded;
  }
  return reply;
}

}  // namespace llmbatch::sim
