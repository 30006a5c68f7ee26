namespace RaftMq.Broker.Shards;

/// <summary>Either of two actions, once it is known whether this replica still leads.</summary>
internal sealed class WhenConfirmed(Action confirmed, Action refused) : IConfirmation
{
    public void Confirmed() => confirmed();

    public void Refused() => refused();
}
