'use strict';
// event order and flags of a plain TLS 1.3 session
const {
  CA,
  LO,
  net,
  rec,
  scenario,
  server_options,
  tls,
  watch,
  watch_tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSHS-1 TLSHS-2 TLSHS-3 TLSHS-4 TLSHS-5 TLSEND-1 EVT-6');

const srv = tls.createServer(server_options(), (s) => {
  rec(
    'server_socket',
    'flags',
    s.encrypted,
    s.authorized,
    s.authorizationError,
    s.getProtocol(),
    s.alpnProtocol,
  );
  watch('server_socket', s, { connect: false });
  s.on('data', (d) => s.end('re:' + d));
  s.on('close', () => srv.close());
});
srv.on('connection', (raw) =>
  rec(
    'server',
    'connection',
    raw instanceof net.Socket,
    raw.encrypted === undefined,
  ),
);
watch_tls_server('server', srv);
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }, () =>
      rec('client', 'callback'),
    ),
  );
  rec(
    'client',
    'mark',
    'connect() returned',
    c.encrypted,
    c.authorized,
    c.connecting,
  );
  c.on('connect', () =>
    rec('client', 'at-connect', c.authorized, c.connecting),
  );
  c.on('secureConnect', () => {
    rec(
      'client',
      'at-secure',
      c.authorized,
      c.authorizationError,
      c.getProtocol(),
      c.alpnProtocol,
    );
    c.write('hi');
  });
});
