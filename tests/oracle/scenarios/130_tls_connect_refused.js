'use strict';
// TLS to a closed port
const {
  CA,
  LO,
  mark,
  net,
  rec,
  scenario,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSERR-8 TLSERR-1 CONN-6 CLOSE-3');

const srv = net.createServer();
srv.listen(0, LO, () => {
  const port = srv.address().port;
  srv.close(() => {
    const c = watch_tls('client', tls.connect({ port, host: LO, ca: CA }));
    mark('client', 'connect() returned');
    c.on('error', (e) => rec('client', 'syscall', e.syscall, e.port === port));
  });
});
