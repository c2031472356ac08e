'use strict';
// addContext by name and wildcard, default otherwise; no SNI without servername
const {
  CA,
  LO,
  pem,
  rec,
  scenario,
  server_options,
  tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSSNI-1 TLSSNI-2 TLSSNI-3 TLSSNI-4');

const srv = tls.createServer(server_options(), (s) => {
  rec('server', 'servername', s.servername);
  s.end();
});
srv.addContext('sni.example', {
  key: pem('sni-key.pem'),
  cert: pem('sni-cert.pem'),
});
srv.addContext('*.wild.example', {
  key: pem('sni-key.pem'),
  cert: pem('sni-cert.pem'),
});
const go = (actor, servername, next) => {
  const c = tls.connect({
    port: srv.address().port,
    host: LO,
    ca: CA,
    rejectUnauthorized: false,
    ...(servername ? { servername } : {}),
  });
  c.resume();
  c.on('secureConnect', () =>
    rec(actor, 'cert', c.getPeerCertificate().subject.CN, c.authorized),
  );
  c.on('close', next);
};
srv.listen(0, LO, () =>
  go('exact', 'sni.example', () =>
    go('wild', 'foo.wild.example', () =>
      go('deep', 'a.b.wild.example', () =>
        go('other', 'localhost', () => go('none', null, () => srv.close())),
      ),
    ),
  ),
);
