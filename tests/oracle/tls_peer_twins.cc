// TLS: who the peer is, on both sides.
#include <functional>
#include <string>
#include <vector>

#include "tests/oracle/tls_recorder.h"

namespace oracle {
namespace {

tls::ConnectOptions with(tls::ConnectOptions options, const std::string& name) {
  options.key = pem(name + "-key.pem");
  options.cert = pem(name + "-cert.pem");
  return options;
}

tls::ServerOptions asking() {
  tls::ServerOptions options = server_options();
  options.ca = ca();
  options.request_cert = true;
  return options;
}

std::string common_name(const TlsSocketPtr& socket) {
  auto peer = socket->peer_certificate();
  return peer ? peer->subject["CN"] : "";
}

}  // namespace

SCENARIO("108_tls_untrusted_ca") {
  TlsServerPtr srv = create_tls_server(server_options(), [](auto s) {
    ignore_errors(s);
    s->resume();
  });
  ignore_tls_errors(srv);
  TlsSocketPtr c;
  listen(srv, [&] {
    tls::ConnectOptions options = to(srv);
    options.ca = "";
    c = watch_tls("client", connect(options));
    c->on_error([&](const Error&) {
      rec("client", "state", c->authorized(),
          or_null(c->authorization_error()));
    });
    c->on_close([&](bool) { later(50, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("109_tls_reject_unauthorized_false") {
  TlsServerPtr srv;
  TlsSocketPtr c;
  auto one = [&](std::string actor, std::string name, std::string ca,
                 std::function<void()> next) {
    srv =
        create_tls_server(server_options(name), [](auto s) { s->end("data"); });
    listen(srv, [&, actor, ca, next] {
      tls::ConnectOptions options = to(srv);
      options.ca = ca;
      options.reject_unauthorized = false;
      c = watch_tls(actor, connect(options));
      c->on_secure_connect([&, actor] {
        rec(actor, "auth", c->authorized(), or_null(c->authorization_error()));
      });
      c->on_close([&, next](bool) {
        srv->close();
        next();
      });
    });
  };
  auto good = [&] { one("good", "server", ca(), [] {}); };
  auto wrong_name = [&] { one("wrong_name", "sni", ca(), good); };
  auto expired = [&] { one("expired", "expired", ca(), wrong_name); };
  auto untrusted = [&] { one("untrusted", "server", "", expired); };
  one("self_signed", "selfsigned", ca(), untrusted);
  run();
}

SCENARIO("110_tls_self_signed_trusted") {
  TlsServerPtr srv =
      create_tls_server(server_options("selfsigned"), [](auto s) {
        ignore_errors(s);
        s->end("ok");
      });
  ignore_tls_errors(srv);
  TlsSocketPtr a, b;
  listen(srv, [&] {
    tls::ConnectOptions options = to(srv);
    options.ca = pem("selfsigned-cert.pem");
    a = watch_tls("trusting", connect(options));
    a->on_secure_connect([&] { rec("trusting", "auth", a->authorized()); });
    a->on_close([&](bool) {
      tls::ConnectOptions others = to(srv);
      others.ca = "";
      b = watch_tls("default", connect(others));
      b->on_close([&](bool) { later(50, [&] { srv->close(); }); });
    });
  });
  run();
}

SCENARIO("112_tls_expired") {
  TlsServerPtr srv = create_tls_server(server_options("expired"), [](auto s) {
    ignore_errors(s);
    s->resume();
  });
  ignore_tls_errors(srv);
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    mark("client", "connect() returned");
    c->on_close([&](bool) { later(50, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("113_tls_crl_client_side") {
  TlsServerPtr srv = create_tls_server(server_options("revoked"), [](auto s) {
    ignore_errors(s);
    s->end("ok");
  });
  ignore_tls_errors(srv);
  TlsSocketPtr a, b;
  listen(srv, [&] {
    a = watch_tls("no_crl", connect(to(srv)));
    a->on_close([&](bool) {
      tls::ConnectOptions options = to(srv);
      options.crl = pem("ca-crl.pem");
      b = watch_tls("with_crl", connect(options));
      b->on_close([&](bool) { later(50, [&] { srv->close(); }); });
    });
  });
  run();
}

SCENARIO("114_tls_client_cert_ok") {
  TlsServerPtr srv = create_tls_server(asking(), [&](auto s) {
    tls::Certificate p = s->peer_certificate().value();
    rec("server_socket", "peer", s->authorized(),
        or_null(s->authorization_error()), p.subject["CN"], p.issuer["CN"]);
    s->end("welcome");
    s->on_close([&](bool) { srv->close(); });
  });
  watch_tls_server("server", srv);
  TlsSocketPtr c;
  listen(srv,
         [&] { c = watch_tls("client", connect(with(to(srv), "client"))); });
  run();
}

SCENARIO("116_tls_client_cert_missing_12") {
  tls::ServerOptions options = asking();
  options.max_version = "TLSv1.2";
  TlsServerPtr srv = watch_tls_server("server", create_tls_server(options));
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    c->on_close([&](bool) { later(50, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("117_tls_client_cert_optional") {
  tls::ServerOptions options = asking();
  options.reject_unauthorized = false;
  TlsServerPtr srv = create_tls_server(options, [](auto s) {
    rec("server", "secure", s->authorized(), or_null(s->authorization_error()),
        or_null(common_name(s)));
    s->end("ok");
  });
  srv->on_tls_client_error(
      [](const Error& e, auto) { rec("server", "UNEXPECTED", e.code); });
  TlsSocketPtr c;
  auto go = [&](std::string actor, tls::ConnectOptions to,
                std::function<void()> next) {
    c = watch_tls(actor, connect(to));
    c->on_close([next](bool) { next(); });
  };
  auto close = [&] { srv->close(); };
  auto good = [&] { go("good", with(to(srv), "client"), close); };
  auto rogue = [&] { go("rogue", with(to(srv), "rogue"), good); };
  listen(srv, [&] { go("none", to(srv), rogue); });
  run();
}

SCENARIO("118_tls_client_cert_rogue") {
  TlsServerPtr srv = create_tls_server(asking());
  srv->on_secure_connection(
      [](auto) { rec("server", "UNEXPECTED secureConnection"); });
  srv->on_tls_client_error([](const Error&, auto s) {
    // That it is a TlsSocket, the compiler says.
    rec("server", "tlsClientError", true, s->authorized());
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    tls::ConnectOptions options = with(to(srv), "rogue");
    options.max_version = "TLSv1.2";
    c = connect(options);
    ignore_errors(c);
    c->on_close([&](bool) {
      rec("client", "close");
      later(50, [&] { srv->close(); });
    });
  });
  run();
}

SCENARIO("119_tls_client_cert_revoked") {
  tls::ServerOptions options = asking();
  options.crl = pem("ca-crl.pem");
  options.reject_unauthorized = false;
  TlsServerPtr srv = create_tls_server(options, [](auto s) {
    rec("server", "secure", s->authorized(), or_null(s->authorization_error()));
    s->end("ok");
  });
  TlsSocketPtr c;
  auto go = [&](std::string actor, std::string name,
                std::function<void()> next) {
    c = watch_tls(actor, connect(with(to(srv), name)));
    c->on_close([next](bool) { next(); });
  };
  listen(srv, [&] {
    go("revoked", "revoked",
       [&] { go("good", "client", [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("120_tls_peer_certificate") {
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    std::vector<Json> keys;
    if (s->peer_certificate()) keys.push_back("subject");
    rec("server_socket", "peer", keys);
    s->end();
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    c = connect(to(srv));
    c->resume();
    c->on_secure_connect([&] {
      tls::Certificate p = c->peer_certificate().value();
      rec("client", "peer", p.subject["CN"], p.subject["O"], p.issuer["CN"],
          p.subjectaltname, p.valid_from, p.valid_to);
    });
    auto null_or_there = [](bool there) {
      return there ? Json("there") : Json(nullptr);
    };
    c->on_close([&, null_or_there](bool) {
      rec("client", "after", null_or_there(c->peer_certificate().has_value()),
          null_or_there(c->protocol().has_value()),
          null_or_there(c->cipher().has_value()));
    });
  });
  run();
}

}  // namespace oracle
