'use strict';
// the same with TLS 1.2 and a fixed cipher
const {
  CA,
  LO,
  rec,
  scenario,
  server_options,
  tls,
  watch,
  watch_tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSHS-1 TLSHS-2 TLSVER-1 TLSVER-4 TLSEND-1');

const srv = tls.createServer(
  server_options({
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  }),
  (s) => {
    watch('server_socket', s, { connect: false });
    s.end('x');
    s.on('close', () => srv.close());
  },
);
watch_tls_server('server', srv);
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  c.on('secureConnect', () => {
    const k = c.getCipher();
    rec('client', 'cipher', c.getProtocol(), k.name, k.standardName);
  });
});
