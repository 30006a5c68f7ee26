namespace RaftMq.Broker.Groups;

/// <summary>An answer that is decided but waits for its entry to be committed.</summary>
internal abstract class HeldReply
{
    public abstract void Send();

    /// <summary>The wait ended otherwise: the answer is the refusal.</summary>
    public abstract void Refuse();
}

/// <inheritdoc cref="HeldReply"/>
internal sealed class HeldReply<TResult>(IReply<TResult> reply, TResult result, TResult refused) : HeldReply
{
    public override void Send() => reply.Complete(result);

    public override void Refuse() => reply.Complete(refused);
}
