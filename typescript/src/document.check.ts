// Compiles only while our types agree with the interface in the schema document.
import {
  type Call,
  createReplyticsClient,
  everyCall,
  listCalls,
  validateCallStatus,
  withoutNulls,
} from "./index.js";

// Letter for letter as the document has it.
interface DocumentCall {
  id: string
  phone_id: string
  caller_number: string
  call_sid: string
  status: 'ringing' | 'answered' | 'completed' | 'failed'
  duration: number
  recording_url?: string
  transcript?: string
  ai_summary?: string
  created_at: string
  updated_at: string
}

type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

export const callFits = (call: Call): DocumentCall => call;
export const statusIsTheSame: Equal<Call["status"], DocumentCall["status"]> = true;

export const statusOf = (text: string): Call["status"] | undefined =>
  validateCallStatus(text) ? text : undefined;

// One call, read with the plain client.
export const oneCall = async (id: string): Promise<DocumentCall | undefined> => {
  const client = createReplyticsClient({ baseUrl: "https://x.example", authorization: "Api-Key k" });
  const { data } = await client.GET("/api/v1/calls/{call_id}/", { params: { path: { call_id: id } } });
  return data === undefined ? undefined : withoutNulls(data);
};

export const latestCalls = async (): Promise<string[]> => {
  const client = createReplyticsClient({ baseUrl: "https://x.example", authorization: "Api-Key k" });
  const page = await listCalls(client, { limit: 20, status: ["completed"] });
  return page.results.map((call) => call.caller_number);
};

// Asked for two fields, a call has these two alone.
export const durations = async (): Promise<number[]> => {
  const client = createReplyticsClient({ baseUrl: "https://x.example", authorization: "Api-Key k" });
  const found: number[] = [];
  for await (const call of everyCall(client, { fields: ["id", "duration"] })) {
    // @ts-expect-error It was not asked for.
    call.transcript;
    found.push(call.duration);
  }
  return found;
};
