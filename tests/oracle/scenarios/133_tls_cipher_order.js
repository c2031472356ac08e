'use strict';
// honorCipherOrder: server preference by default, client preference when false
const {
  CA,
  LO,
  rec,
  scenario,
  server_options,
  tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSVER-5 TLSVER-4');

const L = 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256',
  R = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384';
const go = (actor, extra, next) => {
  const srv = tls.createServer(
    server_options({ ciphers: L, maxVersion: 'TLSv1.2', ...extra }),
    (s) => s.end(),
  );
  srv.listen(0, LO, () => {
    const c = tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      ciphers: R,
    });
    c.resume();
    c.on('secureConnect', () => rec(actor, 'cipher', c.getCipher().name));
    c.on('close', () => {
      srv.close();
      next && next();
    });
  });
};
go('default', {}, () =>
  go('honor', { honorCipherOrder: true }, () =>
    go('client_order', { honorCipherOrder: false }),
  ),
);
