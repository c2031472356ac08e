'use strict';
// TLS 1.2 ticket: 'session' before data, resumed connection reports reuse
const {
  CA,
  LO,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSSESS-1 TLSSESS-3 TLSHS-4');

const srv = tls.createServer(server_options({ maxVersion: 'TLSv1.2' }), (s) => {
  rec('server', 'reused', s.isSessionReused());
  s.end('x');
});
const go = (actor, session, next) => {
  let saved;
  const c = watch_tls(
    actor,
    tls.connect({ port: srv.address().port, host: LO, ca: CA, session }),
  );
  let n = 0;
  c.on('session', (s) => {
    saved = s;
    n++;
  });
  c.on('secureConnect', () =>
    rec(actor, 'reused', c.isSessionReused(), c.authorized),
  );
  c.on('close', () => {
    if (!session) rec(actor, 'sessions', n > 0, Buffer.isBuffer(saved));
    next(saved);
  });
};
srv.listen(0, LO, () =>
  go('first', undefined, (s) => go('second', s, () => srv.close())),
);
