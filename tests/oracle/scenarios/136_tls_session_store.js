'use strict';
// server-side store: newSession must be answered before secureConnection; resumeSession looks it up
const {
  CA,
  crypto,
  later,
  LO,
  mark,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSSESS-4 TLSSESS-5 TLSSESS-6');

const store = new Map();
const srv = tls.createServer(
  server_options({
    maxVersion: 'TLSv1.2',
    secureOptions: crypto.constants.SSL_OP_NO_TICKET,
  }),
  (s) => {
    rec('server', 'secureConnection', s.isSessionReused());
    s.end('x');
  },
);
srv.on('newSession', (id, data, cb) => {
  rec('server', 'newSession', id.length > 0);
  store.set(id.toString('hex'), data);
  later(50, () => {
    mark('server', 'newSession answered');
    cb();
  });
});
srv.on('resumeSession', (id, cb) => {
  const hit = store.get(id.toString('hex')) || null;
  rec('server', 'resumeSession', hit !== null);
  cb(null, hit);
});
const go = (actor, session, next) => {
  const c = watch_tls(
    actor,
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      session,
      maxVersion: 'TLSv1.2',
    }),
  );
  let sess;
  c.on('secureConnect', () => {
    sess = c.getSession();
    rec(actor, 'reused', c.isSessionReused());
  });
  c.on('close', () => next(sess));
};
srv.listen(0, LO, () =>
  go('first', undefined, (s) =>
    go('second', s, (s2) => {
      store.clear();
      go('forgotten', s, () => srv.close());
    }),
  ),
);
