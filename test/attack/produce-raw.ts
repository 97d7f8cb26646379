import { Connection, produceV11, ResponseError, Writer } from "@platformatic/kafka";

/** Writes a record batch as it is, made once and sent `times` times to partition 0 of a topic of a one-broker cluster. */
export async function produceRaw(bootstrap: string, topic: string, batch: Buffer, times: number): Promise<void> {
  const [host, port] = bootstrap.split(":") as [string, string];
  const connection = new Connection("sluice-test-raw", {});
  await connection.connect(host, Number(port));
  try {
    for (let i = 0; i < times; i++) {
      await new Promise<void>((resolve, reject) => {
        const request = (): Writer =>
          Writer.create()
            .appendString(null)
            .appendInt16(-1)
            .appendInt32(30_000)
            .appendArray([topic], (writer, name) => {
              writer.appendString(name).appendArray([0], (inner, partition) => {
                inner
                  .appendInt32(partition)
                  .appendUnsignedVarInt(batch.length + 1)
                  .append(batch);
              });
            })
            .appendTaggedFields();
        const { key, version } = produceV11.api;
        const parse: typeof produceV11.parseResponse = (...given) => produceV11.parseResponse(...given);
        connection.send(key, version, request, parse, true, true, (error) => {
          if (error === null) resolve();
          else reject(error instanceof ResponseError ? new Error(JSON.stringify(error.errors)) : error);
        });
      });
    }
  } finally {
    await connection.close();
  }
}
