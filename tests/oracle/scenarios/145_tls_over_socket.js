'use strict';
// STARTTLS: both sides upgrade an existing plain connection
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
} = require('./tls_recorder');
scenario(__filename, 'TLSHS-6 TLSHS-3 TLSEND-1');

const ctx = tls.createSecureContext(server_options());
const srv = net.createServer((raw) => {
  raw.once('data', (d) => {
    rec('server_socket', 'plain', d.toString());
    raw.write('go ahead');
    const s = new tls.TLSSocket(raw, { isServer: true, secureContext: ctx });
    s.on('secure', () => rec('server_socket', 'secure'));
    watch('server_socket', s, { connect: false });
    s.on('data', (x) => s.end('re:' + x));
    s.on('close', () => srv.close());
  });
});
srv.listen(0, LO, () => {
  const raw = net.connect(srv.address().port, LO, () => raw.write('STARTTLS'));
  raw.once('data', (d) => {
    rec('client', 'plain', d.toString());
    const c = watch_tls(
      'client',
      tls.connect({ socket: raw, ca: CA, servername: 'localhost' }),
    );
    c.on('secureConnect', () => {
      rec('client', 'auth', c.authorized, c.remoteAddress);
      c.write('secret');
    });
  });
});
