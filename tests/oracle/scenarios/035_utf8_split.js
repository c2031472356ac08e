'use strict';
// multi-byte characters cut at every byte boundary (peer acknowledges each
// step)
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'ENC-1 DATA-3 FLOW-2');

const bytes = Buffer.from('a\u20acb\u{1F600}c'); // 1+3+1+4+1 bytes
const steps = [
  [0, 2],
  [2, 3],
  [3, 5],
  [5, 7],
  [7, 9],
  [9, 10],
];
const srv = net.createServer((s) => {
  let i = 0;
  const next = () => {
    if (i < steps.length) {
      s.write(bytes.subarray(...steps[i++]));
    } else s.end();
  };
  s.on('data', next);
  next();
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.setEncoding('utf8');
  let seen = 0;
  const poll = setInterval(() => {
    if (c.bytesRead > seen) {
      seen = c.bytesRead;
      rec('client', 'bytes', seen);
      c.write('.');
    }
  }, 5);
  c.on('data', (d) => rec('client', 'chunk', typeof d, d));
  c.on('end', () => rec('client', 'end'));
  c.on('close', (h) => {
    clearInterval(poll);
    rec('client', 'close', h);
    srv.close();
  });
});
