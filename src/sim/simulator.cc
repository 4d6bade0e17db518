#include "llmbatch/sim/simulator.h"

#include "server.h"

namespace llmbatch::sim {

Simulator::Simulator(std::unique_ptr<Server> server) : server_(std::move(server)) {}
Simulator::~Simulator() = default;

Result<std::unique_ptr<Simulator>> Simulator::start(SimulatorSettings settings) {
  auto log = RequestLog::open(settings.log_path);
  if (!log) return forward_error(log);
  auto server = std::make_unique<Server>(std::move(settings), std::move(*log));
  if (const Status status = server->start(); !status) return forward_error(status);
  return std::unique_ptr<Simulator>(new Simulator(std::move(server)));
}

std::uint16_t Simulator::port() const { return server_->port(); }
SimulatorStats Simulator::stats() const { return server_->stats(); }
std::string Simulator::base_url() const {
  return "http://127.0.0.1:" + std::to_string(port()) + "/v1";
}
void Simulator::stop() { server_->stop(); }

}  // namespace llmbatch::sim
