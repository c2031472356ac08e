'use strict';
// write(string, encoding) converts; counters count bytes
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'ENC-5 CNT-1 DATA-2');

const srv = net.createServer((s) => {
  const b = [];
  s.on('data', (d) => b.push(d));
  s.on('end', () =>
    rec('server_socket', 'hex', Buffer.concat(b).toString('hex')),
  );
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  c.on('connect', () => {
    c.write('\u00e9|');
    c.write('\u00e9|', 'latin1');
    c.write('00ff7c', 'hex');
    c.write('QUJDfA==', 'base64');
    c.write('\u20ac|', 'utf16le');
    c.end('end', 'ascii');
  });
  c.on('close', () => rec('client', 'bytesWritten', c.bytesWritten));
});
