'use strict';
// server from a PKCS#12 bundle, client key with passphrase
const {
  CA,
  LO,
  pem,
  rec,
  scenario,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSCFG-3 TLSHS-2 TLSAUTH-4');

const srv = tls.createServer(
  { pfx: pem('server.pfx'), passphrase: 'oracle-pass' },
  (s) => {
    s.end('from pfx');
    s.on('close', () => srv.close());
  },
);
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  c.on('secureConnect', () =>
    rec('client', 'peer', c.getPeerCertificate().subject.CN, c.authorized),
  );
});
