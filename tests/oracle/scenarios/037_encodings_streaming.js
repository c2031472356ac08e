'use strict';
// base64 / hex / latin1 decoders over split chunks
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'ENC-4 ENC-7 DATA-5');

const step = (s, parts) => {
  let i = 0;
  const next = () =>
    i < parts.length ? s.write(Buffer.from(parts[i++], 'latin1')) : s.end();
  s.on('data', next);
  next();
};
const run = (enc, parts, next) => {
  const srv = net.createServer((s) => step(s, parts));
  srv.listen(0, LO, () => {
    const c = net.connect(srv.address().port, LO);
    c.setEncoding(enc);
    let seen = 0;
    const poll = setInterval(() => {
      if (c.bytesRead > seen) {
        seen = c.bytesRead;
        c.write('.');
      }
    }, 5);
    c.on('data', (d) => rec(enc, 'chunk', d));
    c.on('end', () => rec(enc, 'end'));
    c.on('close', () => {
      clearInterval(poll);
      srv.close();
      next && next();
    });
  });
};
run('base64', ['ABCD', 'EF', 'G', 'HIJKLM'], () =>
  run('hex', ['\x00\xff', 'z'], () => run('latin1', ['\xe9\xff', '\x80'])),
);
