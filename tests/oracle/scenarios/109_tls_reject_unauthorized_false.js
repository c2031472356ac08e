'use strict';
// rejectUnauthorized:false connects; authorized=false and a reason
const {
  CA,
  LO,
  pem,
  rec,
  scenario,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSAUTH-3 TLSAUTH-2 TLSAUTH-5 TLSAUTH-6 TLSHS-4');

const one = (actor, key, cert, extra, next) => {
  const srv = tls.createServer({ key: pem(key), cert: pem(cert) }, (s) => {
    s.end('data');
  });
  srv.listen(0, LO, () => {
    const c = watch_tls(
      actor,
      tls.connect({
        port: srv.address().port,
        host: LO,
        rejectUnauthorized: false,
        ...extra,
      }),
    );
    c.on('secureConnect', () =>
      rec(actor, 'auth', c.authorized, c.authorizationError),
    );
    c.on('close', () => {
      srv.close();
      next && next();
    });
  });
};
one(
  'self_signed',
  'selfsigned-key.pem',
  'selfsigned-cert.pem',
  { ca: CA },
  () =>
    one('untrusted', 'server-key.pem', 'server-cert.pem', {}, () =>
      one('expired', 'expired-key.pem', 'expired-cert.pem', { ca: CA }, () =>
        one('wrong_name', 'sni-key.pem', 'sni-cert.pem', { ca: CA }, () =>
          one('good', 'server-key.pem', 'server-cert.pem', { ca: CA }),
        ),
      ),
    ),
);
