/** What `az cloud register` and the SDKs ask for first. The login endpoint ends in /adfs: az then asks nobody outside. */
export const metadata = (endpoint: string, tenantId: string) => ({
  name: 'Sallyport',
  portal: `${endpoint}/`,
  resourceManager: `${endpoint}/`,
  authentication: {
    loginEndpoint: `${endpoint}/adfs`,
    audiences: [`${endpoint}/`],
    tenant: tenantId,
    identityProvider: 'ADFS',
  },
  graphAudience: `${endpoint}/graph/`,
  graph: `${endpoint}/graph/`,
  microsoftGraphResourceId: `${endpoint}/graph/`,
  gallery: `${endpoint}/`,
  batch: `${endpoint}/`,
  media: `${endpoint}/`,
  sqlManagement: `${endpoint}/`,
  vmImageAliasDoc: `${endpoint}/`,
  activeDirectoryDataLake: `${endpoint}/`,
  suffixes: {},
});
