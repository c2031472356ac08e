'use strict';
// setEncoding works on TLS sockets, split characters included
const {
  CA,
  LO,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSDATA-4 ENC-1 DATA-3');

const bytes = Buffer.from('\u20ac\u{1F600}z');
const cuts = [
  [0, 1],
  [1, 4],
  [4, 8],
];
const srv = tls.createServer(server_options(), (s) => {
  s.setNoDelay();
  let i = 0;
  const t = setInterval(() => {
    if (i < 3) s.write(bytes.subarray(...cuts[i++]));
    else {
      clearInterval(t);
      s.end();
    }
  }, 30);
  s.resume();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = tls.connect({ port: srv.address().port, host: LO, ca: CA });
  c.setEncoding('utf8');
  watch_tls('client', c, { data: false });
  let all = '',
    str = true;
  c.on('data', (d) => {
    all += d;
    str = str && typeof d === 'string';
  });
  c.on('end', () => rec('client', 'text', all, str));
});
