using RaftMq.Server.Hosting;
using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Admin;

/// <summary>What HTTP shows.</summary>
/// <param name="DataFolder">Of whose disk the free room is told.</param>
/// <param name="IsOpen">Clients are let in: the listeners take them.</param>
/// <param name="WaitsBecause">What keeps the node from letting them in, when it is known; a sentence.</param>
internal sealed record HttpSources(
    INode Node, StatusSampler Sampler, MetricRegistry Metrics, string DataFolder, Func<bool> IsOpen, Func<string?> WaitsBecause)
{
    /// <summary>Null when the node is ready, or when nobody knows why it is not. From the last look at its status.</summary>
    public string? NotReadyBecause => IsOpen() ? null : Node.RefusedByCluster ?? ControllerDamage ?? WaitsBecause();

    private string? ControllerDamage => Sampler.Last?.Damaged.FirstOrDefault(static damage => damage is { Name: "controller", IsRunning: false }) is { } damage
        ? $"the controller group does not start here, so the node knows nothing of the cluster and takes no clients: {damage.Report}"
        : null;

    public long DiskFreeBytes => new DriveInfo(Path.GetFullPath(DataFolder)).AvailableFreeSpace;
}
