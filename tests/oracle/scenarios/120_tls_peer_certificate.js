'use strict';
// certificate accessors on both ends and after close
const {
  CA,
  LO,
  rec,
  scenario,
  server_options,
  tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSCERT-1 TLSCERT-2 TLSCERT-3');

const srv = tls.createServer(server_options(), (s) => {
  rec('server_socket', 'peer', Object.keys(s.getPeerCertificate()));
  s.end();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = tls.connect({ port: srv.address().port, host: LO, ca: CA });
  c.resume();
  c.on('secureConnect', () => {
    const p = c.getPeerCertificate();
    rec(
      'client',
      'peer',
      p.subject.CN,
      p.subject.O,
      p.issuer.CN,
      p.subjectaltname,
      p.valid_from,
      p.valid_to,
    );
  });
  c.on('close', () =>
    rec(
      'client',
      'after',
      c.getPeerCertificate(),
      c.getProtocol(),
      c.getCipher(),
    ),
  );
});
