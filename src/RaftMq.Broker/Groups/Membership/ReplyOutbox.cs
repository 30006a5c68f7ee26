namespace RaftMq.Broker.Groups;

/// <summary>Answers that leave at the end of the present call, when the coordinator's state is whole again.</summary>
internal sealed class ReplyOutbox
{
    private readonly Queue<HeldReply> _replies = new();

    public void Add(HeldReply reply) => _replies.Enqueue(reply);

    public void Refuse(IReply<JoinResult>? reply, GroupRefusal reason)
    {
        if (reply is not null)
        {
            Add(reply, new JoinResult.Refused(reason));
        }
    }

    public void Refuse(IReply<SyncResult>? reply, GroupRefusal reason)
    {
        if (reply is not null)
        {
            Add(reply, new SyncResult.Refused(reason));
        }
    }

    public void Add<TResult>(IReply<TResult> reply, TResult result)
        where TResult : class =>
        _replies.Enqueue(new HeldReply<TResult>(reply, result, result));

    public void Flush()
    {
        while (_replies.TryDequeue(out HeldReply? reply))
        {
            reply.Send();
        }
    }
}
