using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Server.Disk;
using RaftMq.Server.Sections;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Hosting;

/// <summary>The real world for a broker node: the machine's clocks, disk, network and chance.</summary>
internal sealed class ServerEnvironment : INodeEnvironment
{
    private readonly DiskLanes _lanes;
    private readonly Action<string, Exception> _fatal;
    private readonly ILogger _logger;

    public ServerEnvironment(
        IDisk disk, DiskLanes lanes, IPeerTransport peers, Action<string, Exception> fatal, ILogger logger)
    {
        Disk = disk;
        _lanes = lanes;
        Peers = peers;
        _fatal = fatal;
        _logger = logger;
        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(seed);
        Random = new RandomSource(BitConverter.ToUInt64(seed));
    }

    public IClock Clock { get; } = new SystemClock();

    public RandomSource Random { get; }

    public IPeerTransport Peers { get; }

    public IDisk Disk { get; }

    public ISection CreateSection(string name, ISectionOwner owner) => new ExclusiveSection(name, owner, _fatal);

    public IDiskQueue CreateDiskQueue(ISection section) => new DiskQueue((ExclusiveSection)section, _lanes);

    public void Fatal(string report, Exception cause) => _fatal(report, cause);

    public void Report(NodeEvent nodeEvent) => NodeEventLog.Write(_logger, nodeEvent);
}
