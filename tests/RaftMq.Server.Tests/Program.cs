using RaftMq.Server.Tests.Disk;
using RaftMq.Server.Tests.Hosting;
using RaftMq.Server.Tests.Peers;
using Xunit.Runner.InProc.SystemConsole;

return args switch
{
    [DiskFaultChild.Command, ..] => DiskFaultChild.Run(args),
    [FatalLogChild.Command, ..] => FatalLogChild.Run(args),
    [PeerChild.Command, ..] => await PeerChild.RunAsync(args),
    _ => await ConsoleRunner.Run(args),
};
