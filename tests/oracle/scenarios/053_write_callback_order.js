'use strict';
// callbacks run once each, asynchronously, in FIFO order
const { LO, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'WRITE-2 WRITE-16 DATA-1');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  c.on('connect', () => {
    for (let i = 0; i < 5; i++)
      c.write('m' + i, (e) => rec('client', 'cb', i, e ? e.code : null));
    mark('client', 'writes returned');
    c.end(() => rec('client', 'end-callback'));
    mark('client', 'end() returned');
  });
  c.on('close', (h) => rec('client', 'close', h));
});
