// Provider: a wire format with a profile. Turns lines into requests and replies into outcomes; pure
// functions of bytes, no network. Thread rule: const and safe from any thread.
#pragma once

#include <string>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/http.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/outcome.h"

namespace llmbatch {

class Provider {
 public:
  virtual ~Provider() = default;

  /// Fills `request` (its strings are reused) with exactly what would be sent for the line. Fails
  /// when the line cannot be used with this wire format (`stream`, foreign url, wrong type); the
  /// message names the field and value, without file and line.
  virtual Status build_request(const LineFields& line, Request& request) const = 0;

  /// Fills `request` with the question that follows an answer which failed its check: that of
  /// `first`, the answer, and the reason. False when this request cannot be asked on (embeddings, a
  /// body of unknown form); `request` is then of no use.
  virtual bool build_reask(const Request& /*first*/, const Completion& /*answer*/,
                           std::string_view /*violation*/, Request& /*request*/) const {
    return false;
  }

  /// True when the line names a model of its own.
  virtual bool has_own_model(const LineFields& line) const = 0;

  /// Classifies one reply: transport errors, HTTP errors and 200s alike. Never fails, never throws.
  virtual Outcome parse_response(const HttpReply& reply) const = 0;

  /// Removes the key from a text of a server, which may repeat it in its complaint.
  virtual void redact(std::string& text) const = 0;

  /// The 128-bit hash that decides whether an item is done and whether two requests are the same:
  /// wire format, profile, path and exact body. The base URL has no part in it.
  virtual Hash128 request_hash(const Request& request) const = 0;

  /// Header lines (`Name: value`) of every request, the key among them: never log these.
  virtual std::vector<std::string> request_headers() const = 0;
};

}  // namespace llmbatch
