'use strict';
// TLS client with allowHalfOpen goes on writing after the server's end
const { later, LO, pem, rec, scenario, tls, watch } = require('./tls_recorder');
scenario(__filename, 'TLSEND-6 HALF-2 TLSEND-1');

const srv = tls.createServer(
  { key: pem('server-key.pem'), cert: pem('server-cert.pem') },
  (s) => {
    watch('server_socket', s, { connect: false });
    s.end('your turn');
    s.on('close', () => srv.close());
  },
);
srv.listen(0, LO, () => {
  const c = watch(
    'client',
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: pem('ca-cert.pem'),
      allowHalfOpen: true,
    }),
  );
  c.on('end', () =>
    later(100, () => {
      rec('client', 'state', c.writable, c.destroyed);
      c.write('thanks');
      later(30, () => c.end('!'));
    }),
  );
});
