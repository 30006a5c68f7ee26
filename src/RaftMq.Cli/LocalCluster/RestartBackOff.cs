namespace RaftMq.Cli.LocalCluster;

/// <summary>How long to wait before a node that died is started again: at once the first time, then twice as long each time.</summary>
internal sealed class RestartBackOff
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>A node that lived so long is taken as well again.</summary>
    private static readonly TimeSpan Healthy = TimeSpan.FromSeconds(10);

    private TimeSpan next = First;

    /// <param name="lived">How long the node had run.</param>
    public TimeSpan AfterDeath(TimeSpan lived)
    {
        if (lived >= Healthy)
        {
            next = First;
        }

        TimeSpan wait = next;
        next = next * 2 < Longest ? next * 2 : Longest;
        return wait;
    }
}
