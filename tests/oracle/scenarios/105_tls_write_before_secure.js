'use strict';
// writes and end() before the handshake are queued
const {
  CA,
  LO,
  mark,
  rec,
  scenario,
  server_options,
  tls,
  watch,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSDATA-1 TLSDATA-2 WRITE-1 WRITE-2');

const srv = tls.createServer(server_options(), (s) => {
  watch('server_socket', s, { connect: false });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  let secure = false;
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  rec(
    'client',
    'write',
    c.write('early ', (e) => rec('callbacks', 1, e ? e.code : null, secure)),
  );
  c.on('secureConnect', () => {
    secure = true;
  });
  c.end('bird', () => rec('callbacks', 'end', secure));
  mark('client', 'end() returned');
});
