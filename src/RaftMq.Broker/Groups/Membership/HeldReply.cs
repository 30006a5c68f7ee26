namespace RaftMq.Broker.Groups;

/// <summary>An answer that is decided but waits for its entry to be committed.</summary>
internal abstract class HeldReply
{
    public abstract void Send();

    /// <summary>The wait ended otherwise: the answer is the refusal.</summary>
    public abstract void Refuse();

    /// <summary>
    /// What to send instead when the record it waits for gives way, unwritten, to that of a later generation: the answer speaks of a
    /// generation that never was. Null when the answer stays true.
    /// </summary>
    public abstract HeldReply? Superseded();
}

/// <inheritdoc cref="HeldReply"/>
/// <param name="superseded">Null when the answer does not speak of a generation.</param>
internal sealed class HeldReply<TResult>(IReply<TResult> reply, TResult result, TResult refused, TResult? superseded = null)
    : HeldReply
    where TResult : class
{
    public override HeldReply? Superseded() =>
        superseded is null ? null : new HeldReply<TResult>(reply, superseded, refused);

    public override void Send() => reply.Complete(result);

    public override void Refuse() => reply.Complete(refused);
}
