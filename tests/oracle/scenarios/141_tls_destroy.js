'use strict';
// destroy() of an established TLS client
const {
  CA,
  later,
  LO,
  rec,
  scenario,
  server_options,
  tls,
  watch,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSEND-5 DEST-1 DEST-3 CLOSE-1');

const srv = tls.createServer(server_options(), (s) => {
  watch('server_socket', s, { connect: false });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      maxVersion: 'TLSv1.2',
    }),
  );
  c.on('secureConnect', () =>
    later(50, () => {
      c.destroy();
      rec('client', 'mark', 'destroy() returned', c.destroyed);
      c.destroy();
    }),
  );
});
