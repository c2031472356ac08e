'use strict';
// an unref'd listening server does not hold the loop; no close event
const { LO, net, rec, scenario, watch_server } = require('./recorder');
scenario(__filename, 'REF-1 REF-3 REF-5 LISTEN-1');

const srv = watch_server('server', net.createServer());
srv.listen(0, LO, () => {
  rec(
    'server',
    'unref',
    srv.unref() === srv,
    srv.unref() === srv,
    srv.listening,
  );
});
process.prependListener('exit', () => rec('process', 'exit'));
