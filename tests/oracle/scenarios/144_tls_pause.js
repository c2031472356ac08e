'use strict';
// pause / resume on a TLS socket
const {
  CA,
  later,
  LO,
  mark,
  scenario,
  server_options,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSDATA-5 FLOW-4 FLOW-5');

const srv = tls.createServer(server_options(), (s) => {
  s.write('first');
  s.on('data', () => s.end('second'));
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  c.once('data', () => {
    c.pause();
    c.write('go');
    later(200, () => {
      mark('client', 'before resume()');
      c.resume();
    });
  });
});
