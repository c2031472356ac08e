'use strict';
// pause() before the connection is up is honoured
const { LO, later, mark, net, scenario, watch } = require('./recorder');
scenario(__filename, 'FLOW-9 FLOW-10 FLOW-5 FLOW-4');

const srv = net.createServer((s) => s.end('data'));
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.pause();
  watch('client', c);
  c.on('connect', () =>
    later(150, () => {
      mark('client', 'before resume()');
      c.resume();
    }),
  );
  c.on('close', () => srv.close());
});
