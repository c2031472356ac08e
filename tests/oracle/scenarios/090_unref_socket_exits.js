'use strict';
// idle connection, both ends and server unref'd: loop ends, nothing is closed
const { LO, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'REF-2 REF-5');

let n = 0;
const go = () => {
  if (++n === 2) mark('process', 'all unref');
};
const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  rec('server_socket', 'unref', s.unref() === s);
  srv.unref();
  go();
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    rec('client', 'unref', c.unref() === c);
    go();
  });
});
process.prependListener('exit', () => rec('process', 'exit'));
