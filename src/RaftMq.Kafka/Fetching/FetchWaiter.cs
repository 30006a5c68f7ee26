using RaftMq.Broker.Partitions;

namespace RaftMq.Kafka.Fetching;

/// <summary>
/// One registration of a long poll with one partition. An object per registration, so that a wake that comes late, after the fetch it
/// belonged to was answered, is recognised and does nothing.
/// </summary>
internal sealed class FetchWaiter(FetchOperation fetch) : IReadWaiter
{
    private volatile bool fired;

    public bool Fired => fired;

    public void Wake()
    {
        fired = true;
        fetch.Woken();
    }
}
