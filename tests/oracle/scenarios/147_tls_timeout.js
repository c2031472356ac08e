'use strict';
// idle timeout on an established TLS socket
const {
  CA,
  later,
  LO,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSHS-8 TIME-1 TIME-4');

const srv = tls.createServer(server_options(), (s) => {
  s.resume();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  c.on('secureConnect', () => {
    c.setTimeout(150, () => {
      rec('client', 'callback', c.destroyed);
    });
    later(500, () => c.end());
  });
});
