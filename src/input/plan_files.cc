#include "plan_files.h"

#include <utility>

namespace llmbatch {
namespace {

struct InvalidHeader {
  std::uint64_t line = 0;
  std::uint64_t offset_bytes = 0;
  std::uint32_t id_bytes = 0;
  std::uint32_t message_bytes = 0;
  std::uint32_t content_bytes = 0;
  std::uint32_t unused = 0;
};

bool has_seq(LineKind kind) {
  return kind == LineKind::todo || kind == LineKind::todo_again || kind == LineKind::done;
}

class SpilledRuns final : public LineRunStream {
 public:
  explicit SpilledRuns(std::shared_ptr<const SpillFile> file)
      : file_(std::move(file)), reader_(*file_) {}
  Result<bool> next(LineRun& run) override { return reader_.read_record(run); }
  Status rewind() override {
    reader_.rewind();
    return {};
  }

 private:
  std::shared_ptr<const SpillFile> file_;
  SpillReader reader_;
};

}  // namespace

Status LineRunWriter::add(std::uint64_t line, LineKind kind, std::uint64_t seq) {
  const bool continues = run_.count > 0 && run_.kind == kind &&
                         run_.first_line + run_.count == line &&
                         (!has_seq(kind) || run_.first_seq + run_.count == seq);
  if (continues) {
    ++run_.count;
    return {};
  }
  if (auto finished = finish(); !finished) return finished;
  run_ = LineRun{line, 1, kind, has_seq(kind) ? seq : 0};
  return {};
}

Status LineRunWriter::finish() {
  if (run_.count == 0) return {};
  auto written = file_.append_record(run_);
  run_.count = 0;
  return written;
}

std::unique_ptr<LineRunStream> make_line_run_stream(std::shared_ptr<const SpillFile> file) {
  return std::make_unique<SpilledRuns>(std::move(file));
}

void append_invalid_line(std::string& out, const InvalidLine& line) {
  InvalidHeader header;
  header.line = line.line;
  header.offset_bytes = line.offset_bytes;
  header.id_bytes = static_cast<std::uint32_t>(line.id.size());
  header.message_bytes = static_cast<std::uint32_t>(line.message.size());
  header.content_bytes = static_cast<std::uint32_t>(line.content.size());
  out.append(reinterpret_cast<const char*>(&header), sizeof(header));
  out.append(line.id).append(line.message).append(line.content);
}

Result<bool> InvalidLineReader::next(InvalidLine& line) {
  InvalidHeader header;
  auto more = reader_.read_record(header);
  if (!more || !*more) return more;
  line.line = header.line;
  line.offset_bytes = header.offset_bytes;
  for (auto [text, size] :
       {std::pair{&line.id, header.id_bytes}, std::pair{&line.message, header.message_bytes},
        std::pair{&line.content, header.content_bytes}}) {
    if (auto read = read_text(*text, size); !read) return read;
  }
  return true;
}

Result<bool> InvalidLineReader::read_text(std::string& text, std::size_t size) {
  text.resize(size);
  return size == 0 ? Result<bool>(true) : reader_.read(text.data(), size);
}

Status InvalidLineReader::rewind() {
  reader_.rewind();
  return {};
}

}  // namespace llmbatch
