// TLS: which protocol, which certificate, which session.
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tests/oracle/tls_recorder.h"

namespace oracle {

SCENARIO("121_tls_alpn") {
  TlsServerPtr srv;
  TlsSocketPtr c;
  std::string got;
  auto go = [&](std::string actor, tls::Protocols server_side,
                tls::Protocols client_side, std::function<void()> next) {
    tls::ServerOptions options = server_options();
    options.alpn_protocols = server_side;
    srv = create_tls_server(options, [actor](auto s) {
      rec(actor, "server", or_false(s->alpn_protocol()));
      s->end();
    });
    listen(srv, [&, actor, client_side, next] {
      tls::ConnectOptions client = to(srv);
      client.alpn_protocols = client_side;
      c = connect(client);
      c->resume();
      c->on_secure_connect([&] { got = c->alpn_protocol(); });
      c->on_close([&, actor, next](bool) {
        rec(actor + "_client", "client", or_false(got));
        srv->close();
        next();
      });
    });
  };
  auto server_none = [&] { go("server_none", {}, {"h2"}, [] {}); };
  auto client_none = [&] { go("client_none", {"h2"}, {}, server_none); };
  auto second = [&] { go("second", {"x", "b"}, {"a", "b"}, client_none); };
  go("both", {"h2", "http/1.1"}, {"http/1.1", "h2"}, second);
  run();
}

SCENARIO("122_tls_sni_contexts") {
  TlsServerPtr srv = create_tls_server(server_options(), [](auto s) {
    rec("server", "servername", or_false(s->servername()));
    s->end();
  });
  srv->add_context("sni.example", server_options("sni"));
  srv->add_context("*.wild.example", server_options("sni"));
  TlsSocketPtr c;
  auto go = [&](std::string actor, std::string servername,
                std::function<void()> next) {
    tls::ConnectOptions options = to(srv);
    options.reject_unauthorized = false;
    options.servername = servername;
    c = connect(options);
    c->resume();
    c->on_secure_connect([&, actor] {
      rec(actor, "cert", c->peer_certificate().value().subject["CN"],
          c->authorized());
    });
    c->on_close([next](bool) { next(); });
  };
  auto none = [&] { go("none", "", [&] { srv->close(); }); };
  auto other = [&] { go("other", "localhost", none); };
  auto deep = [&] { go("deep", "a.b.wild.example", other); };
  auto wild = [&] { go("wild", "foo.wild.example", deep); };
  listen(srv, [&] { go("exact", "sni.example", wild); });
  run();
}

SCENARIO("124_tls_sni_callback_error") {
  tls::ServerOptions options = server_options();
  options.sni_callback = [](const std::string&, tls::SniAnswer answer) {
    later(0, [answer] {
      Error error("E_SNI", "no");
      answer(&error, nullptr);
    });
  };
  TlsServerPtr srv = watch_tls_server("server", create_tls_server(options));
  TlsSocketPtr c;
  listen(srv, [&] {
    tls::ConnectOptions client = to(srv);
    client.servername = "localhost";
    c = watch_tls("client", connect(client), {.end = false});
    c->on_close([&](bool) { later(50, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("134_tls_session_resume_12") {
  tls::ServerOptions options = server_options();
  options.max_version = "TLSv1.2";
  TlsServerPtr srv = create_tls_server(options, [](auto s) {
    rec("server", "reused", s->is_session_reused());
    s->end("x");
  });
  TlsSocketPtr c;
  std::string saved;
  int n = 0;
  auto go = [&](std::string actor, std::string session,
                std::function<void()> next) {
    tls::ConnectOptions client = to(srv);
    client.session = session;
    n = 0;
    c = watch_tls(actor, connect(client));
    c->on_session([&](std::string_view s) {
      saved = s;
      n++;
    });
    c->on_secure_connect([&, actor] {
      rec(actor, "reused", c->is_session_reused(), c->authorized());
    });
    c->on_close([&, actor, first = session.empty(), next](bool) {
      if (first) rec(actor, "sessions", n > 0, !saved.empty());
      next();
    });
  };
  listen(srv, [&] {
    go("first", "", [&] { go("second", saved, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("136_tls_session_store") {
  std::map<std::string, std::string> store;
  tls::ServerOptions options = server_options();
  options.max_version = "TLSv1.2";
  options.session_tickets = false;
  TlsServerPtr srv = create_tls_server(options, [](auto s) {
    rec("server", "secureConnection", s->is_session_reused());
    s->end("x");
  });
  srv->on_new_session([&](std::string_view id, std::string_view data,
                          std::function<void()> done) {
    rec("server", "newSession", !id.empty());
    store[std::string(id)] = data;
    later(50, [done] {
      mark("server", "newSession answered");
      done();
    });
  });
  srv->on_resume_session(
      [&](std::string_view id, std::function<void(std::string)> answer) {
        auto hit = store.find(std::string(id));
        rec("server", "resumeSession", hit != store.end());
        answer(hit != store.end() ? hit->second : "");
      });
  TlsSocketPtr c;
  std::string kept, first;
  auto go = [&](std::string actor, std::string session,
                std::function<void()> next) {
    tls::ConnectOptions client = to(srv);
    client.max_version = "TLSv1.2";
    client.session = session;
    c = watch_tls(actor, connect(client));
    c->on_secure_connect([&, actor] {
      kept = c->session().value();
      rec(actor, "reused", c->is_session_reused());
    });
    c->on_close([next](bool) { next(); });
  };
  auto forgotten = [&] {
    store.clear();
    go("forgotten", first, [&] { srv->close(); });
  };
  auto second = [&] {
    first = kept;
    go("second", first, forgotten);
  };
  listen(srv, [&] { go("first", "", second); });
  run();
}

SCENARIO("137_tls_session_id_context") {
  auto make = [](std::string id) {
    tls::ServerOptions options = server_options();
    options.max_version = "TLSv1.2";
    options.ticket_keys = std::string(48, '\7');
    options.session_id_context = id;
    return create_tls_server(options, [](auto s) { s->end(); });
  };
  TlsServerPtr one = make("ctx-a"), same = make("ctx-a"), other = make("ctx-b");
  TlsSocketPtr c;
  std::string session, first;
  auto go = [&](std::string actor, TlsServerPtr srv, std::string from,
                std::function<void()> next) {
    tls::ConnectOptions client = to(srv);
    client.session = from;
    c = connect(client);
    c->resume();
    c->on_secure_connect([&, actor] {
      session = c->session().value();
      rec(actor, "reused", c->is_session_reused());
    });
    c->on_error([actor](const Error& e) { rec(actor, "error", e.code); });
    c->on_close([next](bool) { next(); });
  };
  auto close = [&] {
    for (const TlsServerPtr& it : {one, same, other}) it->close();
  };
  auto third = [&] { go("other_context", other, first, close); };
  auto second = [&] {
    first = session;
    go("same_context", same, first, third);
  };
  listen(one, [&] {
    listen(same, [&] { listen(other, [&] { go("first", one, "", second); }); });
  });
  run();
}

}  // namespace oracle
