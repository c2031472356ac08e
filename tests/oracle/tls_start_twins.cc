// TLS: the handshake, what is written before it, versions and ciphers.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/encoding.h"
#include "tests/oracle/tls_recorder.h"

namespace oracle {
SCENARIO("103_tls_basic") {
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    rec("server_socket", "flags", s->encrypted(), s->authorized(),
        or_null(s->authorization_error()), s->protocol().value(),
        or_false(s->alpn_protocol()));
    watch("server_socket", s, {.connect = false});
    s->on_data([s](std::string_view d) { s->end("re:" + std::string(d)); });
    s->on_close([&](bool) { srv->close(); });
  });
  // That it is a plain Socket, the compiler says.
  srv->on_connection([](auto) { rec("server", "connection", true, true); });
  watch_tls_server("server", srv);
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client",
                  connect(to(srv), [] { rec("client", "callback"); }));
    rec("client", "mark", "connect() returned", c->encrypted(), c->authorized(),
        c->connecting());
    c->on_connect(
        [&] { rec("client", "at-connect", c->authorized(), c->connecting()); });
    c->on_secure_connect([&] {
      rec("client", "at-secure", c->authorized(),
          or_null(c->authorization_error()), c->protocol().value(),
          or_false(c->alpn_protocol()));
      c->write("hi");
    });
  });
  run();
}

SCENARIO("104_tls12_basic") {
  tls::ServerOptions options = server_options();
  options.max_version = "TLSv1.2";
  options.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  TlsServerPtr srv = create_tls_server(options, [&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->end("x");
    s->on_close([&](bool) { srv->close(); });
  });
  watch_tls_server("server", srv);
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    c->on_secure_connect([&] {
      tls::Cipher k = c->cipher().value();
      rec("client", "cipher", c->protocol().value(), k.name, k.standard_name);
    });
  });
  run();
}

SCENARIO("105_tls_write_before_secure") {
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_close([&](bool) { srv->close(); });
  });
  bool secure = false;
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    rec("client", "write", c->write("early ", [&](const Error* e) {
      rec("callbacks", 1, code(e), secure);
    }));
    c->on_secure_connect([&] { secure = true; });
    c->end("bird", [&] { rec("callbacks", "end", secure); });
    mark("client", "end() returned");
  });
  run();
}

SCENARIO("106_tls_bulk") {
  auto make = [](int seed) {
    std::string bytes(2 << 20, '\0');
    for (int i = 0; i < 2 << 20; ++i)
      bytes[static_cast<std::size_t>(i)] =
          static_cast<char>(i * seed + (i >> 10));
    return bytes;
  };
  const std::string a = make(13), b = make(7);
  auto drive = [](std::string actor, TlsSocketPtr s, const std::string& out) {
    auto got = std::make_shared<std::string>();
    s->on_data([got](std::string_view d) { *got += d; });
    s->on_end([=] { rec(actor, "end", got->size(), sha(*got)); });
    s->on_error([=](const Error& e) { rec(actor, "error", e.code); });
    s->on_close([=](bool had_error) {
      rec(actor, "close", had_error, s->bytes_read(), s->bytes_written());
    });
    for (std::size_t i = 0; i < out.size(); i += 100000)
      s->write(out.substr(i, 100000));
    s->end();
  };
  rec("expected", "sha", sha(a), sha(b));
  TlsServerPtr srv = create_tls_server(
      server_options(), [&](auto s) { drive("server_socket", s, b); });
  TlsSocketPtr c;
  listen(srv, [&] {
    c = connect(to(srv));
    drive("client", c, a);
    c->on_close([&](bool) { srv->close(); });
  });
  run();
}

SCENARIO("107_tls_set_encoding") {
  const std::string bytes = "\u20ac\U0001F600z";
  const std::string parts[] = {bytes.substr(0, 1), bytes.substr(1, 3),
                               bytes.substr(4)};
  int i = 0;
  TimerId t = {};
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    s->set_no_delay();
    t = every(30, [&, s] {
      if (i < 3) return void(s->write(parts[i++]));
      loop.clear_timer(t);
      s->end();
    });
    s->resume();
    s->on_close([&](bool) { srv->close(); });
  });
  std::string all;
  TlsSocketPtr c;
  listen(srv, [&] {
    c = connect(to(srv));
    c->set_encoding(Encoding::kUtf8);
    watch_tls("client", c, {.data = false});
    c->on_data([&](std::string_view text) { all += text; });
    // That it is text, the compiler says.
    c->on_end([&] { rec("client", "text", all, true); });
  });
  run();
}

SCENARIO("131_tls_version_mismatch") {
  tls::ServerOptions options = server_options();
  options.min_version = "TLSv1.3";
  TlsServerPtr srv = watch_tls_server("server", create_tls_server(options));
  TlsSocketPtr c;
  listen(srv, [&] {
    tls::ConnectOptions old = to(srv);
    old.max_version = "TLSv1.2";
    c = watch_tls("client", connect(old));
    c->on_close([&](bool) { later(50, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("132_tls_cipher_mismatch") {
  tls::ServerOptions options = server_options();
  options.max_version = "TLSv1.2";
  options.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  TlsServerPtr srv = watch_tls_server("server", create_tls_server(options));
  TlsSocketPtr c;
  listen(srv, [&] {
    tls::ConnectOptions other = to(srv);
    other.max_version = "TLSv1.2";
    other.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
    c = watch_tls("client", connect(other));
    c->on_close([&](bool) { later(50, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("133_tls_cipher_order") {
  const std::string one = "ECDHE-ECDSA-AES256-GCM-SHA384",
                    two = "ECDHE-ECDSA-AES128-GCM-SHA256";
  TlsServerPtr srv;
  TlsSocketPtr c;
  auto go = [&](std::string actor, bool honor, std::function<void()> next) {
    tls::ServerOptions options = server_options();
    options.ciphers = one + ":" + two;
    options.max_version = "TLSv1.2";
    options.honor_cipher_order = honor;
    srv = create_tls_server(options, [](auto s) { s->end(); });
    listen(srv, [&, actor, next] {
      tls::ConnectOptions client = to(srv);
      client.ciphers = two + ":" + one;
      c = connect(client);
      c->resume();
      c->on_secure_connect(
          [&, actor] { rec(actor, "cipher", c->cipher().value().name); });
      c->on_close([&, next](bool) {
        srv->close();
        next();
      });
    });
  };
  bool by_default = tls::ServerOptions().honor_cipher_order;
  go("default", by_default,
     [&] { go("honor", true, [&] { go("client_order", false, [] {}); }); });
  run();
}

SCENARIO("145_tls_over_socket") {
  tls::AcceptOptions options;
  options.secure_context = tls::create_secure_context(server_options());
  TlsSocketPtr c;
  ServerPtr srv = create_server([&](auto raw) {
    raw->on_data.once([&, raw](std::string_view d) {
      rec("server_socket", "plain", d);
      raw->write("go ahead");
      TlsSocketPtr s = tls::accept(loop, raw, options);
      s->on_secure_connect([] { rec("server_socket", "secure"); });
      watch("server_socket", s, {.connect = false});
      s->on_data([s](std::string_view x) { s->end("re:" + std::string(x)); });
      s->on_close([&](bool) { srv->close(); });
    });
  });
  listen(srv, [&] {
    SocketPtr raw = connect(srv);
    raw->on_connect([raw] { raw->write("STARTTLS"); });
    raw->on_data.once([&, raw](std::string_view d) {
      rec("client", "plain", d);
      tls::ConnectOptions over;
      over.socket = raw;
      over.ca = ca();
      over.servername = "localhost";
      c = watch_tls("client", connect(over));
      c->on_secure_connect([&] {
        rec("client", "auth", c->authorized(), c->remote_address());
        c->write("secret");
      });
    });
  });
  run();
}

SCENARIO("148_tls_config_errors") {
  auto try_it = [](const char* what, tls::ServerOptions options) {
    try {
      create_tls_server(options);
      rec("calls", what, "no throw");
    } catch (const std::exception&) {
      rec("calls", what, "throws");
    }
  };
  auto with = [](std::string key, std::string passphrase) {
    tls::ServerOptions options = server_options();
    options.key = pem(key);
    options.passphrase = passphrase;
    return options;
  };
  auto pfx = [](std::string passphrase) {
    tls::ServerOptions options;
    options.pfx = pem("server.pfx");
    options.passphrase = passphrase;
    return options;
  };
  try_it("good", server_options());
  try_it("mismatched key", with("client-key.pem", ""));
  try_it("wrong passphrase", with("server-key-enc.pem", "nope"));
  try_it("right passphrase", with("server-key-enc.pem", "oracle-pass"));
  tls::ServerOptions options = server_options();
  options.cert = "not a cert";
  try_it("garbage cert", options);
  try_it("pfx wrong passphrase", pfx("nope"));
  try_it("pfx", pfx("oracle-pass"));
  options = server_options();
  options.ciphers = "NO-SUCH-CIPHER";
  try_it("unknown cipher", options);
  options = {};
  options.min_version = "SSLv9";
  try_it("bad version name", options);
  run();
}

SCENARIO("149_tls_pfx_passphrase") {
  tls::ServerOptions options;
  options.pfx = pem("server.pfx");
  options.passphrase = "oracle-pass";
  TlsServerPtr srv = create_tls_server(options, [&](auto s) {
    s->end("from pfx");
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    c->on_secure_connect([&] {
      rec("client", "peer", c->peer_certificate().value().subject["CN"],
          c->authorized());
    });
  });
  run();
}

SCENARIO("155_tls_unix_socket") {
  const std::string p = tmp("t.sock");
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    rec("server", "secureConnection");
    s->end("over unix");
    s->on_close([&](bool) { srv->close(); });
  });
  watch_server("server", srv);
  srv->on_close(
      [&] { rec("server", "file-exists", std::filesystem::exists(p)); });
  TlsSocketPtr c;
  srv->listen(p, [&] {
    tls::ConnectOptions options;
    options.path = p;
    options.ca = ca();
    c = connect(options);
    watch("client", c);
    c->on_secure_connect([&] {
      rec("client", "secureConnect", c->authorized(), c->encrypted());
    });
  });
  run();
}

}  // namespace oracle
