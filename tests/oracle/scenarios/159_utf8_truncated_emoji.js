'use strict';
// stream ends in the middle of a four-byte character
const { LO, net, scenario, watch } = require('./recorder');
scenario(__filename, 'ENC-2 DATA-5');

const srv = net.createServer((s) =>
  s.end(Buffer.from([0x78, 0xf0, 0x9f, 0x98])),
);
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.setEncoding('utf8');
  watch('client', c).on('close', () => srv.close());
});
