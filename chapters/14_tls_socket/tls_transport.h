// TlsTransport: encrypts what goes over another Transport.
//
//   auto wire = std::make_unique<net::FdTransport>(std::move(fd));
//   tls::Engine engine = tls::new_client(*context, {.servername = "a.test"});
//   tls::TlsTransport secure(std::move(wire), std::move(engine));
//   ... handshake() until it says kEnd; then read() and write() as always
//
// Between OpenSSL and the wire there is only memory. So OpenSSL never waits,
// one write() carries many records, and one read() of the wire, too.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "chapters/09_streams/transport.h"
#include "chapters/13_blocking_tls/engine.h"

namespace tls {

class TlsTransport : public net::Transport {
 public:
  // Owns both. If the wire was in use before: `arrived` was read from it, and
  // `unsent` is still to go out, ahead of everything else.
  TlsTransport(std::unique_ptr<net::Transport> wire, Engine engine,
               std::string arrived = {}, std::string unsent = {});
  ~TlsTransport() override;

  // kEnd: both sides have agreed, and the last message of it is out. kWaits:
  // whoever has made the engine wait, or has called hold(), must say when to go
  // on. Meanwhile it also wants to read, to see the peer leave; kWaits is all
  // that is left when too much has come.
  // kFailed: the peer has been told why, if there was room. A peer that is gone
  // before the end is ECONNRESET (TLSERR-5).
  net::IoResult handshake() override;
  bool needs_handshake() const override { return true; }
  // The handshake does not end before hold(false), nor does its last message
  // go out: the peer does not think so, either.
  void hold(bool on);

  // At most one read() of the wire. kEnd is close_notify, or the wire's end:
  // truncated() tells them apart (TLSEND-1, TLSEND-3).
  net::IoResult read(std::span<char> into) override;
  // What it says it has written is with the wire. kWantsWrite: bytes are
  // encrypted already, and wait here; they count when they are out (WAIT-2).
  // kWantsRead: a message to OpenSSL itself has come in part only (WAIT-3).
  net::IoResult write(std::span<const std::string_view> pieces) override;
  // close_notify, and then the wire's own end (TLSEND-2).
  net::IoResult shutdown_write() override;
  bool has_pending() const override;  // also an end that was not told yet

  bool truncated() const;  // the wire has ended, and there was no close_notify
  int fd() const override;
  void close() override;
  SSL* engine() const;  // borrowed

 private:
  struct State;  // yours to design: see transport.cc
  std::unique_ptr<State> state_;
};

}  // namespace tls
